#include "job/embedding_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "distributed/hdf5_reader.hpp"
#include "distributed/hdf5_writer.hpp"
#include "io/anndata_reader.hpp"
#include "job/gromov_costs.hpp"

namespace thalweg {

namespace {

const std::string format_name = "thalweg-embedding";
constexpr std::int64_t format_version = 1;
constexpr double far_input = 10.0;  // standard deviations

std::string name_of(Activation activation) { return activation == Activation::relu ? "relu" : "gelu"; }

std::string name_of(EmbeddingCost cost) { return cost == EmbeddingCost::cosine ? "cosine" : "sq_euclidean"; }

template <class T>
void add_array(Hdf5Layout& layout, const std::string& path, std::vector<T> values, std::vector<std::int64_t> shape) {
  layout.add(path, Hdf5Array{NumericBlock::own(std::move(values)), std::move(shape)});
}

std::string layer_name(const std::string& side, std::int64_t layer) { return side + "/layer" + std::to_string(layer); }

void add_encoder(Hdf5Layout& layout, const std::string& name, const EncoderModel& model) {
  const EncoderShape& shape = model.shape;
  layout.add_group(name)
      .with("key", model.key)
      .with("path", model.path)
      .with("fingerprint", model.fingerprint)
      .with("num_cells", model.num_cells)
      .with("num_features", model.scaling.num_features)
      .with("normalise_rows", model.normalise_rows)
      .with("width", shape.width)
      .with("hidden_layers", shape.hidden_layers)
      .with("dim", shape.dim)
      .with("activation", name_of(shape.activation));
  const std::int64_t inputs = model.scaling.num_inputs();
  add_array(layout, name + "/kept", model.scaling.kept, {inputs});
  add_array(layout, name + "/mean", model.scaling.mean, {inputs});
  add_array(layout, name + "/deviation", model.scaling.deviation, {inputs});
  if (!model.feature_names.empty()) layout.add(name + "/feature_names", Hdf5Texts{model.feature_names});
  for (std::int64_t layer = 0; layer < shape.num_layers(); ++layer) {
    const std::int64_t rows = shape.rows_of(layer), columns = shape.columns_of(layer);
    const auto first = model.weights.begin() + shape.begin_of(layer);
    layout.add_group(layer_name(name, layer));
    add_array(layout, layer_name(name, layer) + "/weights", std::vector<double>(first, first + rows * columns),
              {rows, columns});
    add_array(layout, layer_name(name, layer) + "/biases",
              std::vector<double>(first + rows * columns, first + (rows + 1) * columns), {columns});
  }
}

/// A file that is read as a model.
class ModelReader {
 public:
  ModelReader(const Communicator& comm, const std::string& path) : file_(comm, path) {}

  EmbeddingModel read() const {
    const Hdf5Object& root = file_.object("/");
    if (root.text_attribute("format") != format_name ||
        root.number_attribute("format_version", 0.0) != static_cast<double>(format_version))
      throw DataError(file_.path() + " holds no encoders of this version; set input.model to model.h5 of embed train");
    EmbeddingModel model;
    model.cost = root.text_attribute("embedding_cost") == "cosine" ? EmbeddingCost::cosine : EmbeddingCost::sq_euclidean;
    model.cost_scale = root.number_attribute("cost_scale", 1.0);
    model.epsilon = root.number_attribute("epsilon", 0.0);
    model.loss = root.text_attribute("loss");
    model.start = root.text_attribute("start");
    model.gw = root.number_attribute("gw_loss", std::numeric_limits<double>::quiet_NaN());
    model.seed = static_cast<std::int64_t>(root.number_attribute("seed", 0.0));
    model.version = root.text_attribute("version");
    model.source = encoder("source");
    model.target = encoder("target");
    if (model.source.shape.dim != model.target.shape.dim || !(model.epsilon > 0.0)) throw damaged("its encoders");
    return model;
  }

 private:
  DataError damaged(const std::string& what) const {
    return DataError(what + " of " + file_.path() + " is missing or of another shape; the file is damaged; train again");
  }

  template <class T>
  std::vector<T> array(const std::string& path, std::int64_t count) const {
    const Hdf5Object& object = file_.object(path);
    if (!object.is_dataset() || !object.is_number() || object.num_elements() != count) throw damaged(path);
    return file_.read_rows<T>(path, {0, object.shape[0]});
  }

  std::int64_t integer(const Hdf5Object& group, const std::string& name) const {
    return static_cast<std::int64_t>(group.number_attribute(name, -1.0));
  }

  EncoderModel encoder(const std::string& name) const {
    const Hdf5Object& group = file_.object(name);
    EncoderModel model;
    model.key = group.text_attribute("key");
    model.path = group.text_attribute("path");
    model.fingerprint = group.text_attribute("fingerprint");
    model.num_cells = integer(group, "num_cells");
    model.normalise_rows = group.number_attribute("normalise_rows", 0.0) != 0.0;
    model.scaling.num_features = integer(group, "num_features");
    const Hdf5Object& kept = file_.object(name + "/kept");
    model.shape.inputs = kept.num_elements();
    model.shape.width = integer(group, "width");
    model.shape.hidden_layers = integer(group, "hidden_layers");
    model.shape.dim = integer(group, "dim");
    model.shape.activation = group.text_attribute("activation") == "gelu" ? Activation::gelu : Activation::relu;
    if (!kept.is_dataset() || model.shape.width < 1 || model.shape.hidden_layers < 1 || model.shape.dim < 1)
      throw damaged(name);
    model.scaling.kept = array<std::int64_t>(name + "/kept", model.shape.inputs);
    model.scaling.mean = array<double>(name + "/mean", model.shape.inputs);
    model.scaling.deviation = array<double>(name + "/deviation", model.shape.inputs);
    for (const std::int64_t column : model.scaling.kept)
      if (column < 0 || column >= model.scaling.num_features) throw damaged(name + "/kept");
    read_layers(name, model);
    const Hdf5Object& names = file_.object(name + "/feature_names");
    if (names.is_dataset()) model.feature_names = file_.read_texts(name + "/feature_names", {0, names.num_elements()});
    return model;
  }

  void read_layers(const std::string& name, EncoderModel& model) const {
    for (std::int64_t layer = 0; layer < model.shape.num_layers(); ++layer) {
      const std::int64_t rows = model.shape.rows_of(layer), columns = model.shape.columns_of(layer);
      for (const auto& [part, count] : {std::pair{"/weights", rows * columns}, std::pair{"/biases", columns}}) {
        const std::vector<double> values = array<double>(layer_name(name, layer) + part, count);
        model.weights.insert(model.weights.end(), values.begin(), values.end());
      }
    }
  }

  Hdf5Reader file_;
};

bool has_names(const std::string& key) { return key == "X" || key.starts_with("layers/"); }

}  // namespace

void write_embedding_model(const Communicator& comm, const std::string& path, const EmbeddingModel& model) {
  Hdf5Layout layout;
  layout.root()
      .with("format", format_name)
      .with("format_version", format_version)
      .with("embedding_cost", name_of(model.cost))
      .with("cost_scale", model.cost_scale)
      .with("epsilon", model.epsilon)
      .with("loss", model.loss)
      .with("start", model.start)
      .with("gw_loss", model.gw)
      .with("seed", model.seed)
      .with("version", model.version);
  add_encoder(layout, "source", model.source);
  add_encoder(layout, "target", model.target);
  write_hdf5(comm, path, layout);
}

EmbeddingModel read_embedding_model(const Communicator& comm, const std::string& path) {
  return ModelReader(comm, path).read();
}

std::vector<std::string> feature_names_of(const Communicator& comm, const TransportSides& sides, const CellSide& side) {
  const TimeSeries& file = sides.file_of(side);
  if (!has_names(file.keys.back().key)) return {};
  const AnnDataReader reader(comm, file.path);
  return reader.read_var_names();
}

void prepare_features(const Communicator& comm, const EncoderModel& model, const TransportSides& sides,
                      CellSide& side) {
  if (side.num_features != model.scaling.num_features)
    throw DataError("the " + side.name + " side has " + std::to_string(side.num_features) + " features, its encoder was trained on " +
                    std::to_string(model.scaling.num_features) + " of " + model.key + "; give the same features with " + side.name + ".key");
  const std::vector<std::string> names = feature_names_of(comm, sides, side);
  if (!names.empty() && !model.feature_names.empty()) {
    const auto [found, trained] = std::mismatch(names.begin(), names.end(), model.feature_names.begin(), model.feature_names.end());
    if (found != names.end() && trained != model.feature_names.end())
      throw DataError("feature " + std::to_string(found - names.begin()) + " of the " + side.name + " side is '" + *found +
                      "', that of its encoder '" + *trained + "'; give the features of the training in their order");
  }
  if (model.normalise_rows) normalise_rows(side);
}

double share_outside_training(const EncoderModel& model, const CellSide& side) {
  const FeatureScaling& scaling = model.scaling;
  std::int64_t outside = 0;
  for (std::int64_t i = 0; i < side.num_cells; ++i)
    for (std::size_t k = 0; k < scaling.kept.size(); ++k) {
      const auto x = static_cast<double>(side.features[static_cast<std::size_t>(i * side.num_features + scaling.kept[k])]);
      if (std::abs(x - scaling.mean[k]) <= far_input * scaling.deviation[k]) continue;
      ++outside;
      break;
    }
  return static_cast<double>(outside) / static_cast<double>(std::max<std::int64_t>(1, side.num_cells));
}

}  // namespace thalweg
