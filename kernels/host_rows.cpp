#include "kernels/host_rows.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <atomic>
#include <exception>

namespace thalweg {

namespace {

/// What a thread must not throw out of a parallel loop.
class FirstException {
 public:
  void keep(std::exception_ptr exception) {
    if (!is_set_.exchange(true)) exception_ = std::move(exception);
  }
  bool is_set() const { return is_set_; }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic<bool> is_set_ = false;
  std::exception_ptr exception_;
};

}  // namespace

void for_each_row_on_host(std::int64_t count, const std::function<void(std::int64_t row)>& body) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  const Host exec;
  if (exec.concurrency() == 1 || count < 2) {
    for (std::int64_t row = 0; row < count; ++row) body(row);
    return;
  }
  FirstException first;
  const auto guarded = [&](const std::int64_t row) {
    if (first.is_set()) return;
    try {
      body(row);
    } catch (...) {
      first.keep(std::current_exception());
    }
  };
  using Policy = Kokkos::RangePolicy<Host, Kokkos::Schedule<Kokkos::Dynamic>, Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for("thalweg::host_rows::for_each_row_on_host", Policy(exec, 0, count, Kokkos::ChunkSize(1)), guarded);
  exec.fence("thalweg::host_rows::for_each_row_on_host");
  first.rethrow();
}

void for_each_piece_on_host(std::int64_t count, const std::function<void(std::int64_t begin, std::int64_t end)>& body) {
  for_each_row_on_host((count + piece_rows - 1) / piece_rows, [&](std::int64_t piece) {
    body(piece * piece_rows, std::min(count, (piece + 1) * piece_rows));
  });
}

}  // namespace thalweg
