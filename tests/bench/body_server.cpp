// What an HTTP server in front of the memory store cannot do without: the door of the real server with routes that
// only read the body (POST /read), or read it and have simdjson parse it (POST /parse).
//   body_server PORT
#include <simdjson.h>

#include <exception>
#include <iostream>
#include <string>

#include "http/envelope.hpp"
#include "http/server.hpp"

namespace {

using namespace raceway::server;

http::Response parse(http::Request& request) {
  thread_local simdjson::dom::parser parser;
  const simdjson::dom::element document = parser.parse(request.body);
  return http::success("\"" + std::to_string(simdjson::dom::array(document["events"]).size()) + " events\"");
}

http::Response read(http::Request& request) {
  return http::success("\"" + std::to_string(request.body.size()) + " bytes\"");
}

int serve(const std::string& port) {
  http::Options options;
  options.port = static_cast<std::uint16_t>(std::stoul(port));
  http::Server server(options);
  server.route("POST", "/parse", parse);
  server.route("POST", "/read", read);
  server.bind();
  server.run();
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    if (count == 2) return serve(words[1]);
    std::cerr << "usage: body_server PORT\n";
  } catch (const std::exception& error) {
    std::cerr << "body_server: " << error.what() << '\n';
  }
  return 1;
}
