#include "http/framing.hpp"

#include <algorithm>
#include <charconv>

#include "http/text.hpp"

namespace raceway::server::http {
namespace {

constexpr std::size_t max_fields = 100;
constexpr std::size_t max_line = 8000;
constexpr std::size_t max_chunk_overhead = 16 * 1024;
constexpr unsigned max_size_digits = 15;

bool is_token_character(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u < 0x7F && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
}

bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u >= 0x20 && u != 0x7F) || c == '\t';
  });
}

/// Reads the lines of a head one after another.
class HeadReader {
 public:
  HeadReader(std::string_view head, std::optional<BadHead>& bad) : head_(head), bad_(bad) {
    framing_.head_bytes = head.size();
  }

  Framing read() {
    read_request_line(next_line());
    for (std::size_t fields = 0; !bad_; ++fields) {
      const auto line = next_line();
      if (bad_ || line.empty()) break;
      if (fields == max_fields)
        refuse(431, "more than " + std::to_string(max_fields) + " header fields");
      else
        read_field(line);
    }
    if (!bad_ && framing_.chunked && has_length_) refuse(400, "both Content-Length and Transfer-Encoding");
    if (!bad_ && framing_.chunked && framing_.http_1_0) refuse(400, "Transfer-Encoding in an HTTP/1.0 request");
    if (!bad_ && hosts_ == 0 && !framing_.http_1_0) refuse(400, "no Host");
    if (connection_keep_alive_) framing_.keep_alive = true;
    if (connection_close_) framing_.keep_alive = false;
    return framing_;
  }

 private:
  void refuse(int status, std::string reason) { bad_ = BadHead{status, std::move(reason)}; }

  std::string_view next_line() {
    const auto end = head_.find('\n');
    auto line = head_.substr(0, end);
    head_.remove_prefix(end == std::string_view::npos ? head_.size() : end + 1);
    if (line.empty() || line.back() != '\r') {
      refuse(400, "a header line does not end in CR LF");
      return {};
    }
    line.remove_suffix(1);
    if (line.size() > max_line)
      refuse(431, "a header line of more than " + std::to_string(max_line) + " bytes");
    else if (!is_text(line))
      refuse(400, "a control character in the header");
    return line;
  }

  void read_request_line(std::string_view line) {
    if (bad_) {
      if (bad_->status == 431) refuse(414, "the URL is longer than " + std::to_string(max_line) + " bytes");
      return;
    }
    const auto version = line.substr(std::min(line.size(), line.rfind(' ') + 1));
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
      refuse(version.starts_with("HTTP/") ? 505 : 400, "the request line does not end in HTTP/1.1 or HTTP/1.0");
      return;
    }
    framing_.http_1_0 = version == "HTTP/1.0";
    framing_.keep_alive = !framing_.http_1_0;
  }

  void read_field(std::string_view line) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || name.empty() || !std::all_of(name.begin(), name.end(), is_token_character)) {
      refuse(400, "a header line without a proper name");
      return;
    }
    const auto value = trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "Content-Length")) read_length(value);
    if (equal_ignoring_case(name, "Host") && ++hosts_ > 1) refuse(400, "two Hosts");
    if (equal_ignoring_case(name, "Transfer-Encoding")) {
      if (framing_.chunked || !equal_ignoring_case(value, "chunked"))
        refuse(501, "a Transfer-Encoding other than chunked");
      framing_.chunked = true;
    }
    if (equal_ignoring_case(name, "Expect")) {
      if (!equal_ignoring_case(value, "100-continue")) refuse(417, "an Expect other than 100-continue");
      framing_.expects_continue = !framing_.http_1_0;
    }
    if (equal_ignoring_case(name, "Connection")) {
      connection_close_ = connection_close_ || has_token(value, "close");
      connection_keep_alive_ = connection_keep_alive_ || has_token(value, "keep-alive");
    }
  }

  void read_length(std::string_view value) {
    const auto* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, framing_.content_length);
    if (has_length_ || value.empty() || stop != end || error == std::errc::invalid_argument)
      refuse(400, "a Content-Length that is not one number");
    else if (error != std::errc())
      refuse(413, "the body is larger than any this server takes");
    has_length_ = true;
  }

  std::string_view head_;
  std::optional<BadHead>& bad_;
  Framing framing_;
  bool has_length_ = false;
  std::size_t hosts_ = 0;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
};

}  // namespace

std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t& scanned) {
  for (auto line_feed = bytes.find('\n', scanned); line_feed != std::string_view::npos;
       line_feed = bytes.find('\n', line_feed + 1)) {
    // Also "\n\n", for inspect_head to refuse instead of waiting for ever.
    const auto after = bytes.substr(line_feed + 1, 2);
    if (after.starts_with('\n')) return line_feed + 2;
    if (after == "\r\n") return line_feed + 3;
    if (after.size() < 2) {
      scanned = line_feed;
      return std::nullopt;
    }
  }
  scanned = bytes.size();
  return std::nullopt;
}

Framing inspect_head(std::string_view head, std::optional<BadHead>& bad) {
  bad.reset();
  return HeadReader(head, bad).read();
}

Fields read_fields(std::string_view head) {
  Fields fields;
  for (;;) {
    head.remove_prefix(head.find('\n') + 1);
    const auto line = head.substr(0, head.find('\r'));
    if (line.empty()) return fields;
    const auto colon = line.find(':');
    fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
}

BodyDecoder::BodyDecoder(const Framing& framing)
    : chunked_(framing.chunked), left_(framing.chunked ? 0 : framing.content_length) {
  if (chunked_)
    step_ = Step::size;
  else if (left_ == 0)
    state_ = State::done;
}

std::size_t BodyDecoder::feed(std::string_view bytes, const Sink& sink) {
  std::size_t used = 0;
  while (state_ == State::more && used < bytes.size()) {
    if (step_ == Step::data) {
      used += feed_data(bytes.substr(used), sink);
      continue;
    }
    const char c = bytes[used++];
    if (step_ == Step::size || step_ == Step::extension)
      feed_size(c);
    else if (step_ == Step::trailer || step_ == Step::trailer_end)
      feed_trailer(c);
    else
      feed_mark(c);
  }
  return used;
}

std::size_t BodyDecoder::feed_data(std::string_view bytes, const Sink& sink) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  if (!sink(bytes.substr(0, size))) {
    state_ = State::stopped;
    return size;
  }
  left_ -= size;
  if (left_ == 0) {
    if (chunked_)
      step_ = Step::data_cr;
    else
      state_ = State::done;
  }
  return size;
}

void BodyDecoder::feed_size(char c) {
  if (c == '\r' && digits_ > 0) {
    step_ = Step::size_end;
  } else if (step_ == Step::extension || (digits_ > 0 && (c == ';' || c == ' ' || c == '\t'))) {
    step_ = Step::extension;
    if (c == '\n' || ++overhead_ > max_chunk_overhead) fail();
  } else {
    std::uint64_t digit = 0;
    const auto [stop, error] = std::from_chars(&c, &c + 1, digit, 16);
    if (error != std::errc() || ++digits_ > max_size_digits) return fail();
    left_ = left_ * 16 + digit;
  }
}

/// The CR and LF around a chunk.
void BodyDecoder::feed_mark(char c) {
  if (c != (step_ == Step::data_cr ? '\r' : '\n')) return fail();
  if (step_ == Step::data_cr) {
    step_ = Step::data_lf;
  } else if (step_ == Step::data_lf) {
    step_ = Step::size;
    digits_ = 0;
    left_ = 0;
  } else {
    step_ = left_ > 0 ? Step::data : Step::trailer;
  }
}

/// Trailer lines up to an empty one; nobody here wants what they say.
void BodyDecoder::feed_trailer(char c) {
  if (++overhead_ > max_chunk_overhead) return fail();
  if (step_ == Step::trailer_end) {
    if (c != '\n') return fail();
    if (trailer_line_empty_) state_ = State::done;
    trailer_line_empty_ = true;
    step_ = Step::trailer;
  } else if (c == '\r') {
    step_ = Step::trailer_end;
  } else {
    if (c == '\n') return fail();
    trailer_line_empty_ = false;
  }
}

}  // namespace raceway::server::http
