// A plain decimal number written as PostgreSQL's numeric. See numeric_counter.hpp for the form.
#pragma once

#include <string>
#include <string_view>

namespace raceway::postgres {

/// Appends `plain` ("-12.50", as the wire layer gives numbers) as a numeric, varlena header and all. The bytes are
/// those that numeric_in makes. `plain` has at most wire::max_number_digits on either side of the point.
void append_numeric(std::string& out, std::string_view plain);

}  // namespace raceway::postgres
