// What tells events apart.
#pragma once

#include "wire/sendings.hpp"

namespace raceway::postgres {

using wire::EventIdentity;

}  // namespace raceway::postgres
