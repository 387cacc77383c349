// Events out of a server's answers: all traces in one answer, as it comes, or trace by trace where they are named.
#pragma once

#include <optional>

#include "moving/event_sink.hpp"
#include "moving/event_text.hpp"
#include "moving/http_client.hpp"
#include "moving/source.hpp"

namespace raceway::server::moving {

class HttpSource : public Source {
 public:
  explicit HttpSource(const config::Endpoint& endpoint) : endpoint_(endpoint), client_(endpoint) {}
  std::vector<std::string> each_event(const Selection& selection, bool by_trace, const VisitEvent& visit) override;

 private:
  class Converter;
  ServerAnswer get_events(const std::string& path, const VisitEvent& visit);
  const Unsaid& unsaid(std::string_view sdk_event);

  const config::Endpoint endpoint_;
  HttpClient client_;
  std::optional<Unsaid> unsaid_;
};

}  // namespace raceway::server::moving
