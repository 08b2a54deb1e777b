#include "job/coupling_file.hpp"

#include <cmath>
#include <limits>
#include <span>

#include "distributed/error.hpp"
#include "distributed/hdf5_reader.hpp"
#include "distributed/hdf5_writer.hpp"

namespace thalweg {

namespace {

const std::string format_name = "thalweg-coupling";
constexpr std::int64_t format_version = 1;

/// The attributes and members that go with each other.
template <class Coupling, class Action>
void for_each_text(Coupling& coupling, const Action& action) {
  action("pair", coupling.pair);
  action("source", coupling.source);
  action("target", coupling.target);
  action("source_path", coupling.source_path);
  action("target_path", coupling.target_path);
  action("source_key", coupling.source_key);
  action("target_key", coupling.target_key);
  action("source_fingerprint", coupling.source_fingerprint);
  action("target_fingerprint", coupling.target_fingerprint);
  action("cost", coupling.cost);
  action("entropy_reference", coupling.reference);
}

template <class Coupling, class Action>
void for_each_number(Coupling& coupling, const Action& action) {
  action("scale", coupling.scale);
  action("epsilon", coupling.epsilon);
  action("lambda1", coupling.lambda1);
  action("lambda2", coupling.lambda2);
  action("log_alpha", coupling.log_alpha);
  action("log_beta", coupling.log_beta);
}

template <class Coupling, class Action>
void for_each_vector(Coupling& coupling, const Action& action) {
  action("f", coupling.f);
  action("g", coupling.g);
  action("log_a", coupling.log_a);
  action("log_b", coupling.log_b);
  action("source_row", coupling.source_row);
  action("target_row", coupling.target_row);
}

std::vector<double> reference_of(const std::string& reference, const std::vector<double>& log_weights, double constant) {
  if (reference == "product") return log_weights;
  std::vector<double> logs;
  for (const double log_weight : log_weights) logs.push_back(std::isinf(log_weight) ? log_weight : constant);
  return logs;
}

}  // namespace

std::vector<double> StoredCoupling::log_alpha_of_rows() const { return reference_of(reference, log_a, log_alpha); }
std::vector<double> StoredCoupling::log_beta_of_columns() const { return reference_of(reference, log_b, log_beta); }

void write_coupling(const Communicator& comm, const std::string& path, const StoredCoupling& coupling) {
  Hdf5Layout layout;
  Hdf5Node& root = layout.root();
  root.with("format", format_name).with("format_version", format_version);
  for_each_text(coupling, [&](const char* name, const std::string& text) { root.with(name, text); });
  for_each_number(coupling, [&](const char* name, double number) { root.with(name, number); });
  for_each_vector(coupling, [&](const char* name, const auto& values) {
    const RowRange rows = Partition(static_cast<std::int64_t>(values.size()), comm.size()).rows_of(comm.rank());
    const auto mine = std::span(values).subspan(static_cast<std::size_t>(rows.begin), static_cast<std::size_t>(rows.size()));
    layout.add_rows(name, NumericBlock::view(mine));
  });
  write_hdf5(comm, path, layout);
}

StoredCoupling read_coupling_file(const Communicator& comm, const std::string& path) {
  const Hdf5Reader reader(comm, path);
  const Hdf5Object& root = reader.object("/");
  if (root.text_attribute("format") != format_name || root.number_attribute("format_version", 0.0) != static_cast<double>(format_version))
    throw DataError(path + " holds no coupling of this version; give the results directory of a transport job");
  StoredCoupling coupling;
  for_each_text(coupling, [&](const char* name, std::string& text) { text = root.text_attribute(name); });
  for_each_number(coupling, [&](const char* name, double& number) {
    number = root.number_attribute(name, std::numeric_limits<double>::quiet_NaN());
  });
  for_each_vector(coupling, [&](const char* name, auto& values) {
    using Value = typename std::decay_t<decltype(values)>::value_type;
    const Hdf5Object& object = reader.object(name);
    if (!object.is_dataset() || object.shape.size() != 1) throw DataError(std::string(name) + " of " + path + " is missing; the file is damaged");
    values = reader.read_rows<Value>(name, {0, object.shape[0]});
  });
  if (coupling.f.size() != coupling.log_a.size() || coupling.f.size() != coupling.source_row.size() ||
      coupling.g.size() != coupling.log_b.size() || coupling.g.size() != coupling.target_row.size())
    throw DataError("the potentials and weights of " + path + " differ in length; the file is damaged");
  return coupling;
}

}  // namespace thalweg
