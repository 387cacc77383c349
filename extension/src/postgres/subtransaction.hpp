// A subtransaction as a C++ object.
#pragma once

#include "postgres/boundary.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace raceway::postgres {

/// Begun when made; rolled back when it goes without commit(). After a PostgresError inside it, rolling back is what
/// makes it right to go on.
class Subtransaction {
 public:
  Subtransaction() : memory_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
    pg_call([this] {
      BeginInternalSubTransaction(nullptr);
      MemoryContextSwitchTo(memory_);
    });
    open_ = true;
  }
  Subtransaction(const Subtransaction&) = delete;
  Subtransaction& operator=(const Subtransaction&) = delete;
  ~Subtransaction() {
    if (!open_) return;
    // A raise here would be an error while cleaning up after another: the first one is what the client must see.
    try {
      rollback();
    } catch (...) {
    }
  }

  void commit() {
    open_ = false;
    pg_call([] { ReleaseCurrentSubTransaction(); });
    restore();
  }

  void rollback() {
    open_ = false;
    pg_call([] { RollbackAndReleaseCurrentSubTransaction(); });
    restore();
  }

 private:
  void restore() {
    MemoryContextSwitchTo(memory_);
    CurrentResourceOwner = owner_;
  }

  MemoryContext memory_;
  ResourceOwner owner_;
  bool open_ = false;
};

}  // namespace raceway::postgres
