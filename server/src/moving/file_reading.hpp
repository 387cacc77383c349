// A file of events of any format that is known here.
#pragma once

#include "moving/event_sink.hpp"
#include "moving/input.hpp"
#include "moving/options.hpp"

namespace raceway::server::moving {

/// Reads the whole of it into `sink`; the format is the option's or, where that is automatic, what the file's beginning
/// says. Throws std::runtime_error where it cannot be read; what Input::damage() says is left to the caller.
void read_file(const ImportOptions& options, Input& input, EventSink& sink);

}  // namespace raceway::server::moving
