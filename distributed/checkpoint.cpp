#include "distributed/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "distributed/checksum.hpp"
#include "distributed/hdf5_reader.hpp"
#include "distributed/hdf5_writer.hpp"

namespace thalweg {

namespace {

namespace fs = std::filesystem;

constexpr const char* checksum_attribute = "thalweg_xxh3";
constexpr std::int64_t piece_bytes = std::int64_t{16} << 20;  // of rows that are read into their place
constexpr const char* header_checksum = "header_xxh3";

/// Builds the layout of a file, with a group for every part.
class Saver : public StateVisitor {
 public:
  explicit Saver(Hdf5Layout& layout) : layout_(layout) {}
  bool is_restoring() const override { return false; }

 private:
  void visit(const std::string& path, Values values, const Form& form) override {
    add_groups_above(path);
    std::visit(
        [&](auto* vector) {
          using T = typename std::decay_t<decltype(*vector)>::value_type;
          NumericBlock block = form.is_temporary ? NumericBlock::own(*vector) : NumericBlock::view(std::span<const T>(*vector));
          if (!form.own_rows) {
            const std::int64_t count = block.count();
            layout_.add(path, Hdf5Array{std::move(block), {count}});
          } else {
            layout_.add_rows(path, std::move(block), form.width == 1 ? std::vector<std::int64_t>{} : std::vector{form.width});
          }
        },
        values);
  }

  void visit_fixed(const std::string& path, FixedValues values, const Form& form) override {
    add_groups_above(path);
    std::visit(
        [&]<class T>(std::span<T> local) {
          layout_.add_rows(path, NumericBlock::view(std::span<const T>(local)), std::vector{form.width});
        },
        values);
  }

  void add_groups_above(const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      if (!layout_.contains(path.substr(0, slash))) layout_.add_group(path.substr(0, slash));
  }

  Hdf5Layout& layout_;
};

class Restorer : public StateVisitor {
 public:
  explicit Restorer(const Hdf5Reader& file) : file_(file) {}
  bool is_restoring() const override { return true; }

 private:
  void visit(const std::string& path, Values values, const Form& form) override {
    const Hdf5Object& object = file_.object(path);
    if (!object.is_dataset() || object.shape.empty()) throw DataError(path + " not found in " + file_.path());
    const std::int64_t num_rows = object.shape[0];
    std::visit(
        [&](auto* vector) {
          using T = typename std::decay_t<decltype(*vector)>::value_type;
          if (form.own_rows) {
            *vector = read_own<T>(path, *form.own_rows, num_rows);
          } else {
            const bool reads = file_.comm().is_root();
            *vector = file_.read_rows<T>(path, reads ? RowRange{0, num_rows} : RowRange{0, 0});
            file_.comm().broadcast(*vector);
          }
        },
        values);
  }

  void visit_fixed(const std::string& path, FixedValues values, const Form& form) override {
    const Hdf5Object& object = file_.object(path);
    if (!object.is_dataset() || object.shape.size() != 2 || object.shape[1] != form.width)
      throw DataError(path + " in " + file_.path() + " is not of " + std::to_string(form.width) + " columns");
    std::visit(
        [&]<class T>(std::span<T> local) {
          require_rows(path, *form.own_rows, object.shape[0]);
          read_pieces(path, *form.own_rows, form.width, local);
        },
        values);
  }

  /// A few rows at a time, equally often on all ranks.
  template <class T>
  void read_pieces(const std::string& path, RowRange own_rows, std::int64_t width, std::span<T> local) const {
    const std::int64_t most = std::max<std::int64_t>(1, piece_bytes / (width * static_cast<std::int64_t>(sizeof(T))));
    const std::int64_t num_pieces = file_.comm().all_reduce((own_rows.size() + most - 1) / most, Reduction::max);
    auto to = local.begin();
    for (std::int64_t k = 0; k < num_pieces; ++k) {
      const std::int64_t begin = std::min(own_rows.end, own_rows.begin + k * most);
      const std::vector<T> piece = file_.read_rows<T>(path, {begin, std::min(own_rows.end, begin + most)});
      to = std::copy(piece.begin(), piece.end(), to);
    }
  }

  void require_rows(const std::string& path, RowRange own_rows, std::int64_t num_rows) const {
    const std::int64_t wanted = file_.comm().all_reduce(own_rows.end, Reduction::max);
    if (num_rows != wanted)
      throw DataError(path + " in " + file_.path() + " has " + std::to_string(num_rows) + " rows, not " +
                      std::to_string(wanted));
  }

  template <class T>
  std::vector<T> read_own(const std::string& path, RowRange own_rows, std::int64_t num_rows) const {
    if (num_rows != 0) require_rows(path, own_rows, num_rows);
    return file_.read_rows<T>(path, num_rows == 0 ? RowRange{0, 0} : own_rows);
  }

  const Hdf5Reader& file_;
};

class Sizer : public StateVisitor {
 public:
  bool is_restoring() const override { return false; }
  std::int64_t bytes = 0;

 private:
  void visit(const std::string&, Values values, const Form&) override {
    std::visit([&](const auto* vector) { bytes += static_cast<std::int64_t>(vector->size() * sizeof((*vector)[0])); }, values);
  }
  void visit_fixed(const std::string&, FixedValues values, const Form&) override {
    std::visit([&](const auto local) { bytes += static_cast<std::int64_t>(local.size_bytes()); }, values);
  }
};

/// Calls visit(name, member) for all texts, integers and numbers.
void visit_header(auto& header, auto&& visit) {
  visit("version", header.version);
  visit("commit", header.commit);
  visit("job_hash", header.job_hash);
  visit("settings", header.settings);
  visit("input_fingerprint", header.input_fingerprint);
  visit("inputs", header.inputs);
  visit("item", header.item);
  visit("solver", header.solver);
  visit("stage", header.stage);
  visit("runs", header.runs);
  visit("precision", header.precision);
  visit("device", header.device);
  visit("counter", header.counter);
  visit("iteration", header.iteration);
  visit("seed", header.seed);
  visit("ranks", header.ranks);
  visit("elapsed_s", header.elapsed_s);
}

std::string header_hash(const StateHeader& header) {
  std::vector<std::string> values;
  visit_header(header, [&](const char*, const auto& member) {
    if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::string>) values.push_back(member);
    else values.push_back(std::to_string(member));
  });
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, checksum_of_texts(values, 0));
  return text.data();
}

StateHeader header_of(const Hdf5Reader& file) {
  const Hdf5Object& root = file.object("/");
  if (root.number_attribute("format", 0.0) != static_cast<double>(StateFiles::format))
    throw DataError(file.path() + " is no state of format " + std::to_string(StateFiles::format));
  StateHeader header;
  visit_header(header, [&](const char* name, auto& member) {
    using T = std::decay_t<decltype(member)>;
    if constexpr (std::is_same_v<T, std::string>) member = root.text_attribute(name);
    else member = static_cast<T>(root.number_attribute(name, 0.0));
  });
  if (root.text_attribute(header_checksum) != header_hash(header)) throw DataError("the attributes of " + file.path() + " are damaged");
  return header;
}

void verify_below(const Hdf5Reader& file, const std::string& group) {
  const Hdf5Object above = file.object(group.empty() ? "/" : group);
  for (const std::string& child : above.children) {
    const std::string path = group.empty() ? child : group + "/" + child;
    const Hdf5Object& object = file.object(path);
    if (object.is_group()) {
      verify_below(file, path);
      continue;
    }
    const auto stored = object.attributes.find(checksum_attribute);
    if (stored == object.attributes.end() || stored->second.unsigned_integers.size() != 1 ||
        stored->second.unsigned_integers[0] != file.fingerprint(path))
      throw DataError(path + " in " + file.path() + " does not have the checksum it was written with");
  }
}

std::int64_t counter_of(const fs::path& path) {
  const std::string name = path.filename().string();
  std::int64_t counter = -1;
  int length = 0;
  const bool matches = std::sscanf(name.c_str(), "state_%8" SCNd64 ".h5%n", &counter, &length) == 1;
  return matches && static_cast<std::size_t>(length) == name.size() ? counter : -1;
}

std::vector<std::int64_t> counters_in(const std::string& folder) {
  std::vector<std::int64_t> counters;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::end(entry); entry.increment(error))
    if (const std::int64_t counter = counter_of(entry->path()); counter >= 0) counters.push_back(counter);
  std::sort(counters.rbegin(), counters.rend());
  return counters;
}

}  // namespace

std::string StateFiles::path_of(std::int64_t counter) const {
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "/state_%08" PRId64 ".h5", counter);
  return folder_ + name.data();
}

std::vector<std::int64_t> StateFiles::counters() const {
  std::vector<std::int64_t> counters;
  if (comm_.is_root()) counters = counters_in(folder_);
  comm_.broadcast(counters);
  return counters;
}

std::int64_t StateFiles::write(const StateHeader& header, const VisitState& visit) const {
  comm_.on_root([&] {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw IoError("cannot create " + folder_ + ": " + error.message());
  });
  Hdf5Layout layout;
  layout.root().with("format", format).with(header_checksum, header_hash(header));
  visit_header(header, [&](const char* name, const auto& member) { layout.root().with(name, member); });
  Saver saver(layout);
  visit(saver);
  Hdf5WriteOptions options;
  options.fault_scope = "checkpoint";
  options.must_close = false;  // a run must not end for a state that it can do without
  const std::int64_t bytes = write_hdf5(comm_, path_of(header.counter), layout, options).file_bytes;
  const std::vector<std::int64_t> there = counters();
  for (std::size_t k = num_kept; k < there.size(); ++k) remove(there[k]);
  return bytes;
}

StateHeader StateFiles::header(std::int64_t counter) const { return header_of(Hdf5Reader(comm_, path_of(counter))); }

void StateFiles::read(std::int64_t counter, const VisitState& visit) const {
  const Hdf5Reader file(comm_, path_of(counter));
  header_of(file);
  verify_below(file, "");
  Restorer restorer(file);
  visit(restorer);
}

void StateFiles::reread(std::int64_t counter, const VisitState& visit) const {
  const Hdf5Reader file(comm_, path_of(counter));
  Restorer restorer(file);
  visit(restorer);
}

void StateFiles::remove(std::int64_t counter) const {
  std::error_code ignored;
  if (comm_.is_root()) fs::remove(path_of(counter), ignored);
}

void StateFiles::remove_all() const {
  std::error_code ignored;
  if (comm_.is_root()) fs::remove_all(folder_, ignored);
}

std::int64_t state_bytes(const VisitState& visit) {
  Sizer sizer;
  visit(sizer);
  return sizer.bytes;
}

}  // namespace thalweg
