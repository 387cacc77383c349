// What the extension knows of PostgreSQL beyond its public interfaces: how a numeric is stored (numeric_counter.hpp),
// and which of the ways to write a jsonb jsonb_in() takes (jsonb_writer.hpp). When the library is loaded, both are
// compared with what PostgreSQL's own functions make of some samples. Where they differ it says so, and uses those
// functions.
#pragma once

namespace raceway::postgres {

/// raceway.native_formats: whether that knowledge is to be used at all.
extern bool native_formats;

/// Whether it is used: it is to be, and it was right.
bool uses_native_formats();

/// Compares, and warns where a format is another one. To be called once, when the library is loaded.
void check_native_formats();

/// Says that raceway.native_formats has changed.
void set_native_formats(bool wanted);

}  // namespace raceway::postgres
