// Errors that end the program, each with its documented exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace thalweg {

/// Base of all errors that `main` reports as one line `error: <what>`.
class Error : public std::runtime_error {
 public:
  /// What kind of failure it was; carried between ranks so that all throw the same type.
  enum class Kind { config, data, memory, io, communication, numerical };

  Error(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}

  Kind kind() const { return kind_; }

  /// 2 bad job or data, 3 does not fit in memory, 1 a failure in the machine.
  int exit_code() const {
    switch (kind_) {
      case Kind::config:
      case Kind::data: return 2;
      case Kind::memory: return 3;
      default: return 1;
    }
  }

 private:
  Kind kind_;
};

struct ConfigError : Error {
  explicit ConfigError(const std::string& what) : Error(Kind::config, what) {}
};
struct DataError : Error {
  explicit DataError(const std::string& what) : Error(Kind::data, what) {}
};
struct MemoryError : Error {
  explicit MemoryError(const std::string& what) : Error(Kind::memory, what) {}
};
struct IoError : Error {
  explicit IoError(const std::string& what) : Error(Kind::io, what) {}
};
struct CommunicationError : Error {
  explicit CommunicationError(const std::string& what) : Error(Kind::communication, what) {}
};
struct NumericalError : Error {
  explicit NumericalError(const std::string& what) : Error(Kind::numerical, what) {}
};

}  // namespace thalweg
