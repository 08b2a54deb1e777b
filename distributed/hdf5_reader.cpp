#include "distributed/hdf5_reader.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>

#include "distributed/checksum.hpp"
#include "distributed/error.hpp"
#include "distributed/fault.hpp"
#include "distributed/hdf5_describe.hpp"
#include "distributed/hdf5_open.hpp"
#include "distributed/hdf5_source.hpp"

namespace thalweg {

using hdf5::File;
using hdf5::Source;

namespace {

/// Most bytes of a converting read and most texts in one call.
constexpr std::int64_t scratch_bytes = std::int64_t{64} << 20;
constexpr std::int64_t texts_per_call = std::int64_t{1} << 20;

template <class T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  else if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  else if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  else return H5T_NATIVE_INT64;
}

std::uint64_t checksum_of_part(const void* wire, const Source& source, RowRange part) {
  const std::size_t bytes = source.row_bytes() * static_cast<std::size_t>(part.size());
  return checksum_of_rows({static_cast<const std::byte*>(wire), bytes}, static_cast<std::int64_t>(source.row_bytes()),
                          part.size(), part.begin);
}

}  // namespace

struct Hdf5Reader::State {
  const Communicator* comm = nullptr;
  std::string path;
  Hdf5ReadOptions options;
  hdf5::FileStatus status;
  File metadata;  // rank 0 alone
  File shared;    // all ranks, when there are several
  std::map<std::string, Hdf5Object> objects;

  Source open(const std::string& key, const Hdf5Object& object) const {
    // Filtered chunks are read by each rank alone: one that cannot be decoded would make its reader leave
    // a collective exchange in which the others wait for ever.
    const bool collective = object.is_number() && object.filters.empty();
    return Source(shared ? shared.get() : metadata.get(), path, key, object,
                  hdf5::transfer_list(*comm, collective));
  }

  /// The same source on all ranks; throws the same error on all.
  std::unique_ptr<Source> open_on_all(const std::string& key, const Hdf5Object& object) const {
    std::unique_ptr<Source> source;
    comm->on_all([&] { source = std::make_unique<Source>(open(key, object)); });
    return source;
  }

  /// Calls read(part) for consecutive parts of `rows`, equally often on all ranks: the last parts may be
  /// empty. A failure in a part is thrown by all ranks after it.
  template <class Read>
  void in_parts(RowRange rows, std::int64_t rows_per_call, Read&& read) const {
    const std::int64_t calls = comm->all_reduce((rows.size() + rows_per_call - 1) / rows_per_call, Reduction::max);
    for (std::int64_t call = 0; call < calls; ++call) {
      const std::int64_t begin = std::min(rows.begin + call * rows_per_call, rows.end);
      comm->on_all([&] { read(RowRange{begin, std::min(begin + rows_per_call, rows.end)}); });
    }
  }

  // Before the transfer: a rank that asks for rows which are not there must not leave the others in it.
  void require_rows(const std::string& key, const Hdf5Object& object, RowRange rows) const {
    const std::int64_t count = object.shape.empty() ? 1 : object.shape[0];
    comm->on_all([&] {
      if (rows.begin < 0 || rows.begin > rows.end || rows.end > count)
        throw DataError("rows " + std::to_string(rows.begin) + " to " + std::to_string(rows.end) + " of " + key + " in " +
                        path + " do not exist; it has " + std::to_string(count));
    });
  }

  const Hdf5Object& object(const std::string& key);
  const Hdf5Object& dataset(const std::string& key, bool texts);
  RowRange share_of_rows(const Hdf5Object& object) const {
    const std::int64_t rows = object.shape.empty() ? object.num_elements() : object.shape[0];
    return Partition(rows, comm->size()).rows_of(comm->rank());
  }
  std::uint64_t number_checksum(const std::string& key, const Hdf5Object& object) const;
};

const Hdf5Object& Hdf5Reader::State::object(const std::string& key) {
  auto found = objects.find(key);
  if (found == objects.end()) {
    std::string bytes;
    comm->on_root([&] { bytes = hdf5::describe(metadata.get(), path, key).to_bytes(); });
    comm->broadcast(bytes);
    found = objects.emplace(key, Hdf5Object::from_bytes(bytes)).first;
  }
  return found->second;
}

const Hdf5Object& Hdf5Reader::State::dataset(const std::string& key, bool texts) {
  const Hdf5Object& found = object(key);
  if (!found.exists()) throw DataError(key + " not found in " + path);
  if (!found.is_dataset()) throw DataError(key + " in " + path + " is a group; a dataset is needed");
  const bool fits = !found.is_null && (texts ? found.values == Hdf5Object::Values::text : found.is_number());
  if (!fits)
    throw DataError(key + " in " + path + " has type " + (found.is_null ? "null" : found.type) + "; " +
                    (texts ? "texts are" : "numbers are") + " needed");
  return found;
}

Hdf5Reader::Hdf5Reader(const Communicator& comm, std::string path, Hdf5ReadOptions options)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.comm = &comm;
  state.path = std::move(path);
  state.options = std::move(options);
  comm.on_root([&] {
    state.status = hdf5::examine_file(state.path);
    state.metadata = hdf5::open_serial(state.path);
  });
  std::vector<std::int64_t> status{state.status.bytes, state.status.modified_ns};
  comm.broadcast(status);
  state.status = {status[0], status[1]};
  if (comm.size() > 1)
    comm.on_all([&] { state.shared = hdf5::open_parallel(comm, state.path, state.options.mpi_io_hints); });
}

Hdf5Reader::~Hdf5Reader() = default;
Hdf5Reader::Hdf5Reader(Hdf5Reader&&) noexcept = default;
Hdf5Reader& Hdf5Reader::operator=(Hdf5Reader&&) noexcept = default;

const Communicator& Hdf5Reader::comm() const { return *state_->comm; }
const std::string& Hdf5Reader::path() const { return state_->path; }
std::int64_t Hdf5Reader::file_bytes() const { return state_->status.bytes; }
std::int64_t Hdf5Reader::modified_ns() const { return state_->status.modified_ns; }
const Hdf5Object& Hdf5Reader::object(const std::string& key) const { return state_->object(key); }

template <class T>
std::vector<T> Hdf5Reader::read_rows(const std::string& key, RowRange rows, std::uint64_t* checksum) const {
  const Hdf5Object& object = state_->dataset(key, /*texts=*/false);
  state_->require_rows(key, object, rows);
  const std::unique_ptr<Source> source = state_->open_on_all(key, object);
  const std::size_t length = source->row_elements();
  const bool direct = source->is_stored_as(native_type<T>());
  const auto row_bytes = static_cast<std::int64_t>(std::max(source->row_bytes(), length * sizeof(T)));
  const std::int64_t limit = direct ? state_->options.bytes_per_call : std::min(scratch_bytes, state_->options.bytes_per_call);
  std::vector<T> values;
  state_->comm->on_all([&] { values.resize(static_cast<std::size_t>(rows.size()) * length); });
  std::vector<char> scratch;
  state_->in_parts(rows, std::max<std::int64_t>(1, limit / std::max<std::int64_t>(1, row_bytes)), [&](RowRange part) {
    T* target = values.data() + static_cast<std::size_t>(part.begin - rows.begin) * length;
    const std::size_t count = static_cast<std::size_t>(part.size()) * length;
    if (!direct) scratch.resize(static_cast<std::size_t>(part.size() * row_bytes));
    void* wire = direct ? static_cast<void*>(target) : scratch.data();
    fault_point("read.block", state_->comm->rank());
    source->read(part, wire);
    if (checksum != nullptr) *checksum += checksum_of_part(wire, *source, part);
    if (direct || count == 0) return;
    source->convert(native_type<T>(), count, wire);
    std::memcpy(target, wire, count * sizeof(T));
  });
  return values;
}

template std::vector<float> Hdf5Reader::read_rows(const std::string&, RowRange, std::uint64_t*) const;
template std::vector<double> Hdf5Reader::read_rows(const std::string&, RowRange, std::uint64_t*) const;
template std::vector<std::int32_t> Hdf5Reader::read_rows(const std::string&, RowRange, std::uint64_t*) const;
template std::vector<std::int64_t> Hdf5Reader::read_rows(const std::string&, RowRange, std::uint64_t*) const;

std::vector<std::string> Hdf5Reader::read_texts(const std::string& key, RowRange rows, std::uint64_t* checksum) const {
  const Hdf5Object& object = state_->dataset(key, /*texts=*/true);
  if (object.shape.size() > 1)
    throw DataError(key + " in " + path() + " has " + std::to_string(object.shape.size()) + " axes; one is needed");
  state_->require_rows(key, object, rows);
  const std::unique_ptr<Source> source = state_->open_on_all(key, object);
  std::vector<std::string> texts;
  state_->in_parts(rows, texts_per_call, [&](RowRange part) {
    std::vector<std::string> block = source->read_texts(part);
    if (checksum != nullptr) *checksum += checksum_of_texts(block, part.begin);
    std::move(block.begin(), block.end(), std::back_inserter(texts));
  });
  return texts;
}

std::uint64_t Hdf5Reader::State::number_checksum(const std::string& key, const Hdf5Object& object) const {
  const std::unique_ptr<Source> source = open_on_all(key, object);
  const auto row_bytes = static_cast<std::int64_t>(std::max<std::size_t>(1, source->row_bytes()));
  std::vector<char> scratch;
  std::uint64_t sum = 0;
  in_parts(share_of_rows(object), std::max<std::int64_t>(1, scratch_bytes / row_bytes), [&](RowRange part) {
    scratch.resize(static_cast<std::size_t>(part.size() * row_bytes));
    source->read(part, scratch.data());
    sum += checksum_of_part(scratch.data(), *source, part);
  });
  return sum;
}

std::uint64_t Hdf5Reader::fingerprint(const std::string& key) const {
  const bool texts = object(key).values == Hdf5Object::Values::text;
  const Hdf5Object& dataset = state_->dataset(key, texts);
  std::uint64_t sum = 0;
  if (texts) read_texts(key, state_->share_of_rows(dataset), &sum);
  else sum = state_->number_checksum(key, dataset);
  return comm().all_reduce(sum, Reduction::sum);
}

}  // namespace thalweg
