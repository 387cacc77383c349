// What `raceway export` and `raceway import` were asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "moving/shiviz_date.hpp"
#include "wire/event.hpp"

namespace raceway::server::moving {

enum class Format {
  automatic,  ///< import only: by the first bytes
  json,
  ndjson,
  shiviz,
  otlp,  ///< spans; import: of Jaeger and Zipkin, too, which are told by what they hold
};

/// Which traces; a trace is moved whole.
struct Selection {
  std::vector<std::string> traces;     ///< these; empty: all
  std::optional<std::string> service;  ///< with an event of this service
  std::optional<wire::Micros> since;   ///< that end at or after
  std::optional<wire::Micros> until;   ///< that begin at or before
};

struct ExportOptions {
  Format format = Format::ndjson;
  std::string from;     ///< a URL, a connection string, or empty: the configuration's
  std::string api_key;  ///< a secret; empty: none given
  Selection selection;
  std::string output = "-";  ///< a file; "-" is stdout
  bool gzip = false;
};

struct ImportOptions {
  std::string file;  ///< "-" is stdin
  std::string to;    ///< as ExportOptions::from
  std::string api_key;
  Format format = Format::automatic;
  std::string parser;  ///< ShiViz: the log's regular expression; empty: on its first line
  std::string trace;   ///< ShiViz: trace_id of what stands under no label; empty: the file's name
  DateOrder date_order = DateOrder::unstated;  ///< ShiViz: of dates with slashes
  std::uint32_t jobs = 2;                      ///< batches under way at the same time, from 1
  std::uint32_t batch_size = 1000;             ///< events, from 1
  std::chrono::seconds give_up{60};            ///< how long a batch is offered to what cannot take it
};

}  // namespace raceway::server::moving
