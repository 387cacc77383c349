#include "status/status.hpp"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "status/ask.hpp"
#include "status/view.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server::status {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr const char* clear_screen = "\x1b[H\x1b[2J";

struct Sample {
  Json data;
  Clock::time_point taken;
};

/// Asks again and again, and remembers the last answer for the rates.
class Watch {
 public:
  Watch(Options options, Where server) : options_(std::move(options)), server_(std::move(server)) {}

  /// Whether it was answered.
  bool show_once() {
    const auto url = server_.origin + server_.base_path;
    const bool redraw = options_.watch.count() > 0 && !options_.json && isatty(STDOUT_FILENO) == 1;
    try {
      Sample sample{Json::parse(ask(server_, "/status")), Clock::now()};
      std::optional<double> rate;
      if (last_) {
        const std::chrono::duration<double> passed = sample.taken - last_->taken;
        rate = rate_between(last_->data, sample.data, passed.count());
      }
      if (options_.json) {
        print_json(url, sample.data, rate);
      } else {
        const std::string shown =
            view(url, sample.data, Metrics(metrics_text(server_)), rate, terminal::style_of(STDOUT_FILENO));
        std::cout << (redraw ? clear_screen : "") << shown;
      }
      if (options_.watch.count() > 0 && !options_.json && !redraw) std::cout << '\n';
      std::cout << std::flush;
      last_ = std::move(sample);
      return true;
    } catch (const NoAnswer& error) {
      const auto style = terminal::style_of(STDERR_FILENO);
      std::cerr << "raceway: " << painted(style, terminal::Colour::red, terminal::line_for_terminal(error.what()))
                << '\n';
      last_.reset();
      return false;
    }
  }

 private:
  void print_json(const std::string& url, const Json& data, std::optional<double> rate) const {
    Json report;
    report["url"] = url;
    report["events_per_second"] = rate ? Json(*rate) : Json(nullptr);
    report["status"] = data;
    const auto text = report.dump(options_.watch.count() > 0 ? -1 : 2, ' ', false, Json::error_handler_t::replace);
    std::cout << terminal::json_for_terminal(text) << '\n';
  }

  const Options options_;
  const Where server_;
  std::optional<Sample> last_;
};

}  // namespace

int run(const Options& options, const config::Config& config) {
  Watch watch(options, find_server(options.url, options.api_key, config));
  bool answered = watch.show_once();
  while (options.watch.count() > 0) {
    std::this_thread::sleep_for(options.watch);
    answered = watch.show_once();
  }
  return answered ? 0 : 2;
}

}  // namespace raceway::server::status
