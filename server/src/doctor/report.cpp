#include "doctor/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "terminal/for_terminal.hpp"

namespace raceway::server::doctor {
namespace {

using terminal::Colour;

constexpr std::array<const char*, 3> severities = {"ok", "warning", "error"};
constexpr std::array<Colour, 3> colours = {Colour::green, Colour::yellow, Colour::red};
constexpr std::array<const char*, 3> places = {"sql", "raceway.toml", "shell"};
constexpr std::size_t severity_width = 9;

const char* name_of(Severity severity) {
  return severities[static_cast<std::size_t>(severity)];
}

/// "run as superuser", "write into raceway.toml" ...
std::string heading(const Mend& mend) {
  std::string text = "run in a shell";
  if (mend.place == Place::config) text = "write into raceway.toml";
  if (mend.place == Place::sql)
    text = mend.as == "superuser" ? "run in the database as superuser" : "run in the database as its owner";
  return mend.then.empty() ? text : text + ", then: " + mend.then;
}

/// What was found, whose ends of lines (a database's errors have some) are blanks, as wrapped() wants them.
std::string sentence(std::string found) {
  std::ranges::replace(found, '\n', ' ');
  std::ranges::replace(found, '\t', ' ');
  return terminal::line_for_terminal(found);
}

void print_finding(std::ostream& out, const Finding& finding, std::size_t name_width, const terminal::Style& style) {
  const std::string severity = fmt::format("{:<{}}", name_of(finding.severity), severity_width);
  const std::size_t indent = severity_width + name_width;
  out << painted(style, colours[static_cast<std::size_t>(finding.severity)], severity)
      << fmt::format("{:<{}}", terminal::line_for_terminal(finding.check), name_width);
  if (finding.check.size() >= name_width) out << '\n' << std::string(indent, ' ');
  out << terminal::wrapped(sentence(finding.found), style.width, indent) << '\n';
  for (const auto& mend : finding.mend) {
    out << std::string(severity_width, ' ')
        << painted(style, Colour::faint,
                   terminal::wrapped(terminal::line_for_terminal(heading(mend)), style.width, severity_width))
        << '\n';
    for (const auto& line : mend.lines) {
      out << std::string(severity_width + 2, ' ') << painted(style, Colour::bold, terminal::line_for_terminal(line))
          << '\n';
    }
  }
}

std::string counted(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

Severity worst(const Findings& findings) {
  Severity worst = Severity::ok;
  for (const auto& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

void print_text(std::ostream& out, const Findings& findings, const terminal::Style& style) {
  std::size_t name_width = 0;
  for (const auto& finding : findings) name_width = std::max(name_width, finding.check.size() + 2);
  // On a narrow terminal the names take no more than they must.
  name_width = std::min(name_width, style.width / 3);
  for (const auto& finding : findings) print_finding(out, finding, name_width, style);
  const auto count = [&](Severity severity) {
    return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
  };
  const auto last = worst(findings);
  out << '\n'
      << painted(style, colours[static_cast<std::size_t>(last)],
                 counted(count(Severity::error), "error", "errors") + ", " +
                     counted(count(Severity::warning), "warning", "warnings") + ", " +
                     std::to_string(count(Severity::ok)) + " ok")
      << '\n';
}

void print_json(std::ostream& out, const Findings& findings) {
  nlohmann::ordered_json report;
  report["version"] = RACEWAY_VERSION;
  report["worst"] = name_of(worst(findings));
  auto& list = report["findings"] = nlohmann::ordered_json::array();
  for (const auto& finding : findings) {
    nlohmann::ordered_json entry = {
        {"check", finding.check}, {"severity", name_of(finding.severity)}, {"found", finding.found}};
    auto& mends = entry["mend"] = nlohmann::ordered_json::array();
    for (const auto& mend : finding.mend) {
      mends.push_back({{"place", places[static_cast<std::size_t>(mend.place)]},
                       {"as", mend.as},
                       {"lines", mend.lines},
                       {"then", mend.then}});
    }
    list.push_back(std::move(entry));
  }
  // What a database says may hold any bytes.
  const auto text = report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  out << terminal::json_for_terminal(text) << '\n';
}

}  // namespace raceway::server::doctor
