// Communication between the ranks of a run. Solvers see this class, never MPI or NCCL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "distributed/error.hpp"

namespace thalweg {

enum class Reduction { sum, min, max };
enum class ElementType { byte, int32, int64, uint64, float32, float64 };

template <class T>
constexpr ElementType element_type() {
  if constexpr (std::is_same_v<T, std::int32_t>) return ElementType::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>) return ElementType::int64;
  else if constexpr (std::is_same_v<T, std::uint64_t>) return ElementType::uint64;
  else if constexpr (std::is_same_v<T, float>) return ElementType::float32;
  else if constexpr (std::is_same_v<T, double>) return ElementType::float64;
  else {
    static_assert(sizeof(T) == 1 && std::is_trivially_copyable_v<T>, "unsupported element type");
    return ElementType::byte;
  }
}

/// Messages on their way. Their buffers belong to it until `wait` returns or it is destroyed.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Lets the library move data while this rank computes; true once all has arrived and gone.
  virtual bool advance() = 0;
  virtual void wait() = 0;
};

/// A group of ranks that call the same collectives in the same order.
///
/// Every member below is a collective: all ranks must reach it, so decide on all-reduced values only.
/// Counts are 64-bit; implementations split what their library cannot move at once and throw
/// CommunicationError when a library call fails. Sums of integers are exact and hence independent of
/// the number of ranks; sums of floating-point values are added in rank order. Minima and maxima of NaN are undefined.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// "self", "mpi", "nccl": for the log.
  virtual std::string name() const = 0;
  /// Why it is this one where another was possible, for the log; else empty.
  const std::string& note() const { return note_; }
  void set_note(const std::string& note) { note_ = note; }
  virtual void barrier() const = 0;
  /// Ranks of equal `color` form a new communicator, ordered by `key`, then by rank.
  virtual std::unique_ptr<Communicator> split(int color, int key) const = 0;

  bool is_root() const { return rank() == 0; }
  /// Payload bytes that this rank has handed to the library so far.
  std::int64_t bytes_sent() const { return bytes_sent_; }

  /// Element-wise reduction over ranks, in place.
  template <class T>
  void all_reduce(std::span<T> values, Reduction op) const {
    if constexpr (std::is_floating_point_v<T>)
      if (op == Reduction::sum) return sum_in_rank_order(values);
    all_reduce_raw(values.data(), static_cast<std::int64_t>(values.size()), element_type<T>(), op);
  }
  template <class T>
  T all_reduce(T value, Reduction op) const {
    all_reduce(std::span<T>(&value, 1), op);
    return value;
  }
  /// True on all ranks if it is on any.
  bool any(bool value) const { return all_reduce<std::int32_t>(value ? 1 : 0, Reduction::max) != 0; }

  /// `values` of rank `root` on all ranks; the sizes must agree.
  template <class T>
  void broadcast(std::span<T> values, int root = 0) const {
    broadcast_raw(values.data(), static_cast<std::int64_t>(values.size_bytes()), root);
  }
  /// A vector of rank `root` on all ranks, whatever their sizes were.
  template <class T>
  void broadcast(std::vector<T>& values, int root = 0) const {
    std::int64_t count = static_cast<std::int64_t>(values.size());
    broadcast(std::span<std::int64_t>(&count, 1), root);
    values.resize(static_cast<std::size_t>(count));
    broadcast(std::span<T>(values), root);
  }
  void broadcast(std::string& text, int root = 0) const;

  /// The ranks' blocks one after another in rank order, on all ranks; block sizes may differ.
  template <class T>
  std::vector<T> all_gather(std::span<const T> local) const {
    const std::vector<std::int64_t> bytes = gather_counts(static_cast<std::int64_t>(local.size_bytes()));
    std::vector<T> all(static_cast<std::size_t>(total(bytes)) / sizeof(T));
    all_gather_raw(local.data(), bytes, all.data());
    return all;
  }

  /// Personalised exchange. `send` holds the parts for ranks 0, 1, .. one after another with
  /// `send_counts[q]` elements for rank q; returns the parts received, in rank order, and their
  /// lengths in `receive_counts`.
  template <class T>
  std::vector<T> all_to_all(std::span<const T> send, std::span<const std::int64_t> send_counts,
                            std::vector<std::int64_t>& receive_counts) const {
    receive_counts = exchange_counts(send_counts);
    std::vector<T> received(static_cast<std::size_t>(total(receive_counts)));
    all_to_all_raw(send.data(), in_bytes(send_counts, sizeof(T)), received.data(),
                   in_bytes(receive_counts, sizeof(T)));
    return received;
  }

  /// Begins to send `send` to rank `target` and to receive all of `received` from rank `source`, whose lengths both
  /// sides know. Exchanges of a pair of ranks arrive in the order in which they were begun.
  template <class T>
  std::unique_ptr<Exchange> start_send_receive(std::span<const T> send, int target, std::span<T> received, int source) const {
    return send_receive_raw({send.data(), static_cast<std::int64_t>(send.size_bytes()), target},
                            {received.data(), static_cast<std::int64_t>(received.size_bytes()), source});
  }
  /// The same, done.
  template <class T>
  void send_receive(std::span<const T> send, int target, std::span<T> received, int source) const {
    start_send_receive(send, target, received, source)->wait();
  }

  /// Sum of `value` over the ranks before this one.
  std::int64_t exclusive_sum(std::int64_t value) const;

  /// Runs `action` on rank 0 alone. If it throws an Error there, every rank throws the same error;
  /// doubles as a barrier.
  template <class Action>
  void on_root(Action&& action) const {
    Failure failure;
    if (is_root()) failure = capture([&] { action(); });
    share_failure(failure, /*only_root=*/true);
  }

  /// Runs `action` on every rank. If it throws on any of them, all throw the error of the lowest
  /// failing rank. The action itself must not contain a collective after a point where one rank may
  /// throw.
  template <class Action>
  void on_all(Action&& action) const {
    const Failure failure = capture([&] { action(); });
    share_failure(failure, /*only_root=*/false);
  }

 protected:
  /// Of integers, and minima and maxima.
  virtual void all_reduce_raw(void* values, std::int64_t count, ElementType type, Reduction op) const = 0;
  virtual void broadcast_raw(void* data, std::int64_t bytes, int root) const = 0;
  virtual void all_gather_raw(const void* local, std::span<const std::int64_t> bytes, void* all) const = 0;
  virtual void all_to_all_raw(const void* send, std::span<const std::int64_t> send_bytes, void* received,
                              std::span<const std::int64_t> receive_bytes) const = 0;

  struct Outgoing {
    const void* data;
    std::int64_t bytes;
    int target;
  };
  struct Incoming {
    void* data;
    std::int64_t bytes;
    int source;
  };
  virtual std::unique_ptr<Exchange> send_receive_raw(const Outgoing& send, const Incoming& receive) const = 0;

  void count_bytes(std::int64_t bytes) const { bytes_sent_ += bytes; }

 private:
  struct Failure {
    bool failed = false;
    Error::Kind kind = Error::Kind::io;
    std::string what;
  };

  template <class Action>
  static Failure capture(Action&& action) {
    try {
      action();
    } catch (const Error& error) {
      return {true, error.kind(), error.what()};
    } catch (const std::bad_alloc&) {
      return {true, Error::Kind::memory, "out of memory"};
    } catch (const std::exception& error) {
      return {true, Error::Kind::io, error.what()};
    }
    return {};
  }
  void share_failure(const Failure& failure, bool only_root) const;

  /// A library may add in any order; gathering fixes it, so equal inputs give equal bytes.
  template <class T>
  void sum_in_rank_order(std::span<T> values) const {
    if (size() == 1) return;
    const auto block = static_cast<std::int64_t>(values.size_bytes());
    const std::vector<std::int64_t> bytes(static_cast<std::size_t>(size()), block);
    std::vector<T> all(values.size() * bytes.size());
    all_gather_raw(values.data(), bytes, all.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      T sum = 0;
      for (std::size_t q = 0; q < bytes.size(); ++q) sum += all[q * values.size() + i];
      values[i] = sum;
    }
  }

  std::vector<std::int64_t> gather_counts(std::int64_t count) const;
  std::vector<std::int64_t> exchange_counts(std::span<const std::int64_t> send_counts) const;
  static std::int64_t total(std::span<const std::int64_t> counts);
  static std::vector<std::int64_t> in_bytes(std::span<const std::int64_t> counts, std::size_t element);

  mutable std::int64_t bytes_sent_ = 0;
  std::string note_;
};

/// Bytes of an element.
constexpr std::int64_t size_of(ElementType type) {
  switch (type) {
    case ElementType::byte: return 1;
    case ElementType::int32:
    case ElementType::float32: return 4;
    default: return 8;
  }
}

/// The communicator of a process on its own.
std::unique_ptr<Communicator> make_self_communicator();

/// How the ranks of a run are to talk.
struct Transport {
  int device = -1;                ///< that this rank computes on; -1: the host
  std::string choice = "auto";    ///< "auto", "mpi", "nccl" (DataError where several ranks cannot have it)
  double timeout_s = 1800.0;      ///< for an answer of other devices
  /// Messages from this size on go by NCCL: two copies and a launch cost as much as MPI takes for so many bytes.
  std::int64_t large_bytes = 256 * 1024;
};

/// All ranks of the run; needs a living Runtime. MPI when the program was started by a launcher (or
/// with more than one rank), else the self communicator. Where every rank has a device of its own and the build has
/// NCCL, large messages go by it; where it was to be had and is not, `note` of the result says why. Collective.
std::unique_ptr<Communicator> make_world_communicator(const Transport& transport = {});

}  // namespace thalweg
