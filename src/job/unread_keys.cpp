#include "job/unread_keys.hpp"

#include <algorithm>

#include "config/read_settings.hpp"
#include "job/shape_side.hpp"

namespace thalweg {

namespace {

/// A key that is not read, and the one that is; empty: none.
struct Unread {
  std::string key, instead;
};

const std::vector<Unread>& keys_of_transport() {
  static const std::vector<Unread> keys = {
      {"solver.epsilon", "gromov.epsilon"},
      {"solver.epsilon_start", "gromov.epsilon_start"},
      {"solver.anneal_factor", "gromov.epsilon_decay"},
      {"solver.tolerance", "gromov.tolerance, or gromov.inner_tolerance for its linear problems"},
      {"solver.max_iterations", "gromov.max_outer, or gromov.inner_iterations for its linear problems"},
      {"solver.lambda1", "gromov.rho_1 with gromov.mode = \"unbalanced\""},
      {"solver.lambda2", "gromov.rho_2 with gromov.mode = \"unbalanced\""},
      {"solver.tau_a", "gromov.rho_1 with gromov.mode = \"unbalanced\""},
      {"solver.tau_b", "gromov.rho_2 with gromov.mode = \"unbalanced\""},
      {"solver.scale_cost", "gromov.scale"}};
  return keys;
}

const std::vector<Unread>& keys_of_graphs() {
  static const std::vector<Unread> keys = {{"gromov.geodesic_k", ""},
                                           {"gromov.metric", ""},
                                           {"gromov.edge_weight", ""},
                                           {"gromov.disconnected", ""},
                                           {"gromov.landmarks", ""},
                                           {"gromov.factor_rank", ""},
                                           {"gromov.allow_poor_factor", ""}};
  return keys;
}

/// Of surfaces and slices.
const std::vector<Unread>& keys_of_cells() {
  static const std::vector<Unread> keys = {{"gromov.rho_1", ""}, {"gromov.rho_2", ""}, {"gromov.init", ""}};
  return keys;
}

const std::vector<Unread>& keys_of_shapes() {
  static const std::vector<Unread> keys = {
      {"gromov.solve_points", ""}, {"gromov.unfold", ""}, {"gromov.reference_map", ""}};
  return keys;
}

/// Encoders are fitted to balanced couplings without a linear cost.
const std::vector<Unread>& keys_of_couplings() {
  static const std::vector<Unread> keys = {{"gromov.epsilon", "embed.gw_epsilon"},
                                           {"gromov.normalise", ""},
                                           {"gromov.rho_1", ""},
                                           {"gromov.rho_2", ""},
                                           {"gromov.init", ""},
                                           {"gromov.coupling", ""}};
  return keys;
}

/// What costs between the cells of a side are, of surfaces and slices.
std::vector<Unread> keys_of_sides(const std::string& cost) {
  std::vector<Unread> keys;
  for (const std::string side : {"source", "target"}) {
    keys.push_back({side + ".cost", cost});
    keys.push_back({side + ".factors", ""});
    keys.push_back({side + ".normalise_rows", ""});
  }
  return keys;
}

/// Finds keys whose value is not their default.
class Refusal {
 public:
  Refusal(const Job& job, const config::Value& root, config::Problems& problems)
      : job_(job), sections_(sections_of(job_)), root_(root), problems_(problems) {}

  void operator()(const std::vector<Unread>& keys, const std::string& by) {
    for (const Unread& unread : keys)
      for (const config::Section& section : sections_)
        for (const config::Field& field : section.fields)
          if (field.key == unread.key && !field.is_later && !same_content(field.current(), field.default_value))
            add(unread, by);
  }

  /// Keys of a part of a table that no result is saved with: any value.
  void part(const std::string& part, const std::vector<Unread>& known, const std::string& by) {
    for (const config::Section& section : sections_)
      if (section.part == part)
        for (const config::Field& field : section.fields) {
          if (field.is_later || config::find_value(root_, config::split_key(field.key)) == nullptr) continue;
          const auto same = [&](const Unread& unread) { return unread.key == field.key; };
          const auto found = std::find_if(known.begin(), known.end(), same);
          add(found == known.end() ? Unread{field.key, ""} : *found, by);
        }
  }

 private:
  void add(const Unread& unread, const std::string& by) {
    const config::Value* value = config::find_value(root_, config::split_key(unread.key));
    const config::Location where =
        value ? value->where : config::Location{.file = root_.where.file, .folder = root_.where.folder};
    problems_.add(where, unread.key + " is not read by " + by + "; " +
                             (unread.instead.empty() ? "remove it" : "use " + unread.instead));
  }

  Job job_;
  std::vector<config::Section> sections_;
  const config::Value& root_;
  config::Problems& problems_;
};

/// Of cells: what the values of other keys leave unread.
void refuse_beside_others(const Job& job, Refusal& refuse) {
  const GromovOptions& options = job.gromov;
  if (options.mode != "unbalanced") {
    const std::string mode = "gromov.mode = \"unbalanced\"";
    refuse({{"gromov.rho_1", mode}, {"gromov.rho_2", mode}}, "gromov.mode = \"" + options.mode + "\"");
  }
  if (job.source_costs.cost != "geodesic" && job.target_costs.cost != "geodesic")
    refuse(keys_of_graphs(), "costs other than \"geodesic\"");
  if (options.linear.empty()) refuse({{"gromov.normalise", "gromov.linear"}}, "gromov without gromov.linear");
}

}  // namespace

void refuse_unread_keys(const Job& job, const config::Value& root, const std::vector<std::string>& used,
                        config::Problems& problems) {
  const auto reads = [&](const std::string& part) { return std::find(used.begin(), used.end(), part) != used.end(); };
  Refusal refuse(job, root, problems);
  if (reads(EmbedOptions::section)) {
    refuse.part(SinkhornOptions::part,
                {{"solver.epsilon", "embed.gw_epsilon or embed.epsilon_end"}, {"solver.cost", "source.cost and target.cost"}},
                "embed train");
    refuse.part(ShapeOptions::part, {{"gromov.anchors", "embed.anchors"}}, "embed train");
    return refuse(keys_of_couplings(), "embed train");
  }
  const bool is_align = reads(AlignOptions::section), has_shapes = !is_align && are_shapes(job);
  std::vector<Unread> of_solver = keys_of_transport();
  of_solver.push_back({"solver.cost", is_align ? "align.cost and align.dissimilarity" : "source.cost and target.cost"});
  refuse.part(SinkhornOptions::part, of_solver, is_align ? "align" : "gromov");
  if (is_align) {
    refuse(keys_of_graphs(), "align");
    refuse(keys_of_cells(), "align");
    refuse({{"gromov.scale", ""}}, "align");
    refuse.part(ShapeOptions::part, {}, "align");
    refuse.part(IntraCostOptions::source_part, {{"source.cost", "align.cost"}}, "align");
    refuse.part(IntraCostOptions::target_part, {{"target.cost", "align.cost"}}, "align");
    return;
  }
  refuse({{"problem.policy", ""}, {"problem.reference", ""}}, "gromov");
  if (!has_shapes) {
    refuse(keys_of_shapes(), "gromov on cells");
    return refuse_beside_others(job, refuse);
  }
  refuse(keys_of_graphs(), "gromov on surfaces");
  refuse(keys_of_cells(), "gromov on surfaces");
  refuse(keys_of_sides(""), "gromov on surfaces");
  refuse({{"gromov.normalise", ""}, {"problem.alpha", "gromov.anchors"}}, "gromov on surfaces");
}

}  // namespace thalweg
