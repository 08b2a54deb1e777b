#include "job/chain_sidecar.hpp"

#include "job/result_sidecar.hpp"

namespace thalweg {

namespace {

UnsValue uns_matrix(const Matrix& matrix) {
  return UnsArray{NumericBlock::own(matrix.values), {matrix.rows, matrix.columns}};
}

void add_model(const HmOtJob& job, const HmOtSolution& solution, const std::string& key, AnnDataWriter& writer) {
  writer.add_uns(key + "/objective", solution.state.objective);
  writer.add_uns(key + "/epsilon", solution.epsilon);
  writer.add_uns(key + "/center", solution.chain.center);
  for (std::size_t t = 0; t < job.slice_names.size(); ++t) {
    const std::string slice = key + "/slices/" + std::to_string(t);
    const SliceState& state = solution.state.slices[t];
    writer.add_uns(slice + "/time", job.slice_names[t]);
    writer.add_uns(slice + "/types", job.type_names[t]);
    writer.add_uns(slice + "/g", state.actual);
    writer.add_uns(slice + "/means", uns_matrix(state.means));
    if (solution.chain.has_coordinates()) {
      writer.add_uns(slice + "/center", solution.chain.slices[t].frame.center);
      writer.add_uns(slice + "/scale", solution.chain.slices[t].frame.scale);
    }
    if (solution.chain.slices[t].has_fixed_membership()) continue;
    writer.add_uns(slice + "/A", uns_matrix(state.logits));
    writer.add_uns(slice + "/v", state.duals);
  }
  for (std::size_t t = 0; t < solution.state.couplings.size(); ++t)
    writer.add_uns(key + "/T/" + std::to_string(t), uns_matrix(solution.state.couplings[t]));
}

}  // namespace

void write_sidecar(JobSession& session, const JobContext& context, const ChainResults& results, const ChainFile& file,
                   const ChainOutput& output) {
  const auto& [job, solution, series, types] = results;
  const Communicator& comm = session.comm();
  const std::string prefix = context.job.output.key_prefix, name_prefix = prefix + output.prefix;
  const TypeCategories categories(job);
  ResultSidecar sidecar(session, context.job.output, *file.series);
  AnnDataWriter& writer = sidecar.writer();
  for (const auto& [name, clustering] : types.clusterings) {
    const std::int64_t slice = slice_of_clustering(name, output.cells.reference, job.slice_names.size());
    const std::vector<std::int32_t> codes = category_codes(job, series, categories, clustering, slice);
    const std::string column = name_prefix + (name == "ml" ? "_type" : "_" + name);
    writer.obs().add_categorical(column, FileOrder<std::int32_t>(comm, file, series)(codes), categories.names);
    writer.obs().add(name == "ml" ? name_prefix + "_confidence" : column + "_confidence", FileOrder<double>(comm, file, series)(clustering.confidence));
  }
  const FileOrder<float> rows_in_order(comm, file, series);
  if (types.clusterings.contains("terminal")) {
    writer.add_matrix("obsm/" + prefix + "fate", NumericBlock::own(rows_in_order(types.fates, types.fate_width)), types.fate_width);
    writer.add_uns("thalweg/columns/" + prefix + "fate", job.type_names.back());
  }
  if (output.cells.with_memberships)
    writer.add_matrix("obsm/" + name_prefix + "_Q", NumericBlock::own(rows_in_order(types.memberships, types.membership_width)), types.membership_width);
  add_model(job, solution, name_prefix, writer);
  sidecar.write(file.result);
}

}  // namespace thalweg
