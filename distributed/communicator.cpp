#include "distributed/communicator.hpp"

#include <limits>
#include <numeric>

namespace thalweg {

namespace {

[[noreturn]] void throw_error(Error::Kind kind, const std::string& what) {
  switch (kind) {
    case Error::Kind::config: throw ConfigError(what);
    case Error::Kind::data: throw DataError(what);
    case Error::Kind::memory: throw MemoryError(what);
    case Error::Kind::io: throw IoError(what);
    case Error::Kind::communication: throw CommunicationError(what);
    case Error::Kind::numerical: throw NumericalError(what);
  }
  throw IoError(what);
}

}  // namespace

void Communicator::broadcast(std::string& text, int root) const {
  std::vector<char> characters(text.begin(), text.end());
  broadcast(characters, root);
  text.assign(characters.begin(), characters.end());
}

std::int64_t Communicator::exclusive_sum(std::int64_t value) const {
  const std::vector<std::int64_t> values = gather_counts(value);
  return std::accumulate(values.begin(), values.begin() + rank(), std::int64_t{0});
}

void Communicator::share_failure(const Failure& failure, bool only_root) const {
  if (size() == 1) {
    if (failure.failed) throw_error(failure.kind, failure.what);
    return;
  }
  std::int32_t first = failure.failed ? rank() : std::numeric_limits<std::int32_t>::max();
  if (only_root) broadcast(std::span<std::int32_t>(&first, 1), 0);
  else first = all_reduce(first, Reduction::min);
  if (first == std::numeric_limits<std::int32_t>::max()) return;
  std::int32_t kind = static_cast<std::int32_t>(failure.kind);
  std::string what = failure.what;
  broadcast(std::span<std::int32_t>(&kind, 1), first);
  broadcast(what, first);
  throw_error(static_cast<Error::Kind>(kind), what);
}

std::vector<std::int64_t> Communicator::gather_counts(std::int64_t count) const {
  const std::vector<std::int64_t> sizes(static_cast<std::size_t>(size()), sizeof(std::int64_t));
  std::vector<std::int64_t> counts(static_cast<std::size_t>(size()));
  all_gather_raw(&count, sizes, counts.data());
  return counts;
}

std::vector<std::int64_t> Communicator::exchange_counts(std::span<const std::int64_t> send_counts) const {
  const std::vector<std::int64_t> sizes(static_cast<std::size_t>(size()), sizeof(std::int64_t));
  std::vector<std::int64_t> counts(static_cast<std::size_t>(size()));
  all_to_all_raw(send_counts.data(), sizes, counts.data(), sizes);
  return counts;
}

std::int64_t Communicator::total(std::span<const std::int64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::vector<std::int64_t> Communicator::in_bytes(std::span<const std::int64_t> counts, std::size_t element) {
  std::vector<std::int64_t> bytes(counts.begin(), counts.end());
  for (std::int64_t& value : bytes) value *= static_cast<std::int64_t>(element);
  return bytes;
}

}  // namespace thalweg
