#include "postgres/connection.hpp"

#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "config/connection_string.hpp"

namespace raceway::server::postgres {
namespace {

// The types' object ids, fixed in every PostgreSQL (catalog/pg_type.dat).
constexpr std::uint32_t oid_bytea = 17;
constexpr std::uint32_t oid_text = 25;

void append_int32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<unsigned char>(value >> shift));
}

std::string big_endian(std::uint64_t value) {
  std::string bytes;
  append_int32(bytes, static_cast<std::uint32_t>(value >> 32U));
  append_int32(bytes, static_cast<std::uint32_t>(value));
  return bytes;
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

/// A one-dimensional array without NULLs, as array_recv reads it.
template <class Items>
std::string array_bytes(const Items& items, std::uint32_t element_type) {
  std::string bytes;
  append_int32(bytes, items.empty() ? 0 : 1);
  append_int32(bytes, 0);
  append_int32(bytes, element_type);
  if (items.empty()) return bytes;
  append_int32(bytes, static_cast<std::uint32_t>(items.size()));
  append_int32(bytes, 1);
  for (const auto& item : items) {
    append_int32(bytes, static_cast<std::uint32_t>(item.size()));
    bytes.append(item.data(), item.size());
  }
  return bytes;
}

std::string trimmed(const char* text) {
  std::string_view view(text == nullptr ? "" : text);
  while (!view.empty() && (view.back() == '\n' || view.back() == ' ')) view.remove_suffix(1);
  return std::string(view);
}

std::string in_seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()) + " s";
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

DatabaseError error_of(const PGresult* result, const PGconn* connection) {
  std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) return {trimmed(PQerrorMessage(connection)), field(result, PG_DIAG_SQLSTATE)};
  if (const auto detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) message += "; " + detail;
  if (const auto hint = field(result, PG_DIAG_MESSAGE_HINT); !hint.empty()) message += " (hint: " + hint + ")";
  return {message, field(result, PG_DIAG_SQLSTATE)};
}

}  // namespace

std::string_view PgResult::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t PgResult::int64(int row, int column) const {
  return static_cast<std::int64_t>(read_big_endian(text(row, column)));
}

float PgResult::float4(int row, int column) const {
  return std::bit_cast<float>(static_cast<std::uint32_t>(read_big_endian(text(row, column))));
}

PgParameter PgParameter::text(std::string_view value) {
  PgParameter parameter;
  parameter.is_null = false;
  parameter.view = value.data() == nullptr ? std::string_view("") : value;
  return parameter;
}

PgParameter PgParameter::optional_text(const std::optional<std::string>& value) {
  return value ? text(*value) : null();
}

PgParameter PgParameter::int64(std::int64_t value) {
  PgParameter parameter;
  parameter.is_null = false;
  parameter.owned = big_endian(static_cast<std::uint64_t>(value));
  return parameter;
}

PgParameter PgParameter::micros(std::optional<wire::Micros> value) {
  return value ? int64(*value) : null();
}

PgParameter PgParameter::texts(const std::vector<std::string>& values) {
  PgParameter parameter;
  parameter.is_null = false;
  parameter.owned = array_bytes(values, oid_text);
  return parameter;
}

PgParameter PgParameter::bodies(const std::vector<std::string_view>& values) {
  PgParameter parameter;
  parameter.is_null = false;
  parameter.owned = array_bytes(values, oid_bytea);
  return parameter;
}

PgConnection::PgConnection(const std::string& connection_string, std::chrono::seconds timeout)
    : connection_(nullptr, PQfinish) {
  const std::string seconds = std::to_string(std::max<std::int64_t>(2, timeout.count()));
  // A peer that is gone without a word is noticed after half a minute, not after the kernel's two hours. What the
  // connection string says comes last and wins.
  const std::array<const char*, 9> keywords = {"connect_timeout",
                                               "fallback_application_name",
                                               "client_encoding",
                                               "keepalives_idle",
                                               "keepalives_interval",
                                               "keepalives_count",
                                               "tcp_user_timeout",
                                               "dbname",
                                               nullptr};
  const std::array<const char*, 9> values = {seconds.c_str(),           "raceway", "UTF8", "30", "10", "3", "30000",
                                             connection_string.c_str(), nullptr};
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (!connection_) throw std::bad_alloc();
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw DatabaseError(trimmed(PQerrorMessage(connection_.get())), {});
  }
  PQsetnonblocking(connection_.get(), 1);  // so that each wait is ours, see await()
  const auto ignore = [](void*, const char*) {};
  PQsetNoticeProcessor(connection_.get(), ignore, nullptr);
}

void PgConnection::on_notice(std::function<void(const std::string&)> tell) {
  tell_ = std::make_unique<std::function<void(const std::string&)>>(std::move(tell));
  PQsetNoticeProcessor(
      connection_.get(),
      [](void* told, const char* message) {
        (*static_cast<const std::function<void(const std::string&)>*>(told))(message);
      },
      tell_.get());
}

PgResult PgConnection::run(const std::string& sql, const std::vector<PgParameter>& parameters) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto& parameter : parameters) {
    const auto bytes = parameter.bytes();
    values.push_back(parameter.is_null ? nullptr : bytes.data());
    lengths.push_back(static_cast<int>(bytes.size()));
  }
  const std::vector<int> formats(parameters.size(), 1);
  return finish(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(parameters.size()), nullptr,
                                  values.data(), lengths.data(), formats.data(), 1) == 1);
}

void PgConnection::run_script(const std::string& sql) {
  finish(PQsendQuery(connection_.get(), sql.c_str()) == 1);
}

PgResult PgConnection::finish(bool sent) {
  if (!connection_) throw DatabaseError("the connection to it was given up", {});
  if (!sent) throw DatabaseError(trimmed(PQerrorMessage(connection_.get())), {});
  Deadline deadline;
  if (patience_.limit) deadline = std::chrono::steady_clock::now() + *patience_.limit;
  int unsent = 0;
  while ((unsent = PQflush(connection_.get())) == 1) {
    await(POLLIN | POLLOUT, deadline);
    // The other side may wait for us to take what it says before it takes more. Errors show in the result.
    PQconsumeInput(connection_.get());
  }
  // An error may follow a result: what was done counts only once the transaction around it is committed.
  PgResult last(nullptr);
  std::optional<DatabaseError> error;
  while (true) {
    while (PQisBusy(connection_.get()) == 1) {
      if (!holds_bytes_back()) await(POLLIN, deadline);
      if (PQconsumeInput(connection_.get()) == 0) break;
    }
    PGresult* const raw = PQgetResult(connection_.get());
    if (raw == nullptr) break;
    PgResult result(raw);
    const auto status = PQresultStatus(raw);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && !error) error = error_of(raw, connection_.get());
    last = std::move(result);
  }
  if (error) throw DatabaseError(*error);
  if (unsent != 0 || !last.is_there() || broken()) throw DatabaseError(trimmed(PQerrorMessage(connection_.get())), {});
  return last;
}

/// Whether bytes were taken from the socket that libpq has not seen: poll() does not know of them.
bool PgConnection::holds_bytes_back() const {
  auto* const tls = static_cast<SSL*>(PQsslStruct(connection_.get(), "OpenSSL"));
  return tls != nullptr && SSL_pending(tls) > 0;
}

void PgConnection::await(short events, const Deadline& deadline) {
  using std::chrono::milliseconds;
  const int interrupt = patience_.interrupt != nullptr ? patience_.interrupt->descriptor() : -1;
  std::array<pollfd, 2> watched{{{PQsocket(connection_.get()), events, 0}, {interrupt, POLLIN, 0}}};
  // What GSSAPI holds back cannot be asked for: there it is looked at now and then.
  const milliseconds longest(PQgssEncInUse(connection_.get()) == 1 ? 50 : 3'600'000);
  auto wait = longest;
  if (deadline) {
    const auto left = std::chrono::ceil<milliseconds>(*deadline - std::chrono::steady_clock::now());
    wait = std::clamp(left, milliseconds(0), longest);
  }
  const int ready = poll(watched.data(), watched.size(), static_cast<int>(wait.count()));
  if (ready < 0 && errno != EINTR) give_up("poll: " + std::string(std::strerror(errno)));
  if (ready > 0 && watched[1].revents != 0) give_up("the server is stopping");
  if (ready == 0 && deadline && wait < longest) give_up("no answer within " + in_seconds(*patience_.limit));
}

void PgConnection::give_up(const std::string& reason) {
  connection_.reset();
  throw DatabaseError(reason, {});
}

bool PgConnection::local() const {
  const char* host = PQhost(connection_.get());
  const char* address = PQhostaddr(connection_.get());
  const std::string_view where(host == nullptr ? "" : host);
  const std::string_view number(address == nullptr ? "" : address);
  return where.empty() || where.front() == '/' || where.front() == '@' || number.starts_with("127.") || number == "::1";
}

std::string PgConnection::option(std::string_view keyword) const {
  return config::option_value({PQconninfo(connection_.get()), PQconninfoFree}, keyword);
}

bool PgConnection::usable() const {
  return connection_ && PQstatus(connection_.get()) == CONNECTION_OK &&
         PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

}  // namespace raceway::server::postgres
