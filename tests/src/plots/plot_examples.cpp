#include "plot_examples.hpp"

#include <cmath>

#include "kernels/random.hpp"

namespace thalweg::test {

namespace {

double npmi(double joint, double a, double b) {
  if (joint < 1e-12) return -1.0;
  return joint >= 1.0 ? 1.0 : std::log(joint / (a * b)) / -std::log(joint);
}

void add_slice(const std::string& time, const std::vector<std::string>& names, DifferentiationMap& map) {
  for (const auto& name : names) map.nodes.push_back({static_cast<int>(map.times.size()), name, 0.0, 0, 0.93, "", ""});
  map.times.push_back(time);
}

}  // namespace

void add_transition(int slice, const std::vector<std::vector<double>>& mass, DifferentiationMap& map) {
  std::vector<double> rows(mass.size(), 0.0), columns(mass.front().size(), 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) rows[i] += mass[i][j], columns[j] += mass[i][j];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double m = mass[i][j];
      map.edges.push_back({slice, static_cast<int>(i), static_cast<int>(j), m, rows[i] > 0 ? m / rows[i] : 0.0,
                           columns[j] > 0 ? m / columns[j] : 0.0, npmi(m, rows[i], columns[j])});
    }
  }
}

void set_masses(std::int64_t cells_per_slice, DifferentiationMap& map) {
  const auto slices = nodes_by_slice(map);
  for (const auto& edge : map.edges) {
    map.nodes[slices[static_cast<std::size_t>(edge.slice)][static_cast<std::size_t>(edge.source)]].mass += edge.mass;
    if (static_cast<std::size_t>(edge.slice) + 2 == slices.size()) {
      map.nodes[slices.back()[static_cast<std::size_t>(edge.target)]].mass += edge.mass;
    }
  }
  for (auto& node : map.nodes) node.cells = std::llround(node.mass * static_cast<double>(cells_per_slice));
}

DifferentiationMap amphid_map() {
  DifferentiationMap map;
  map.title = "Amphid neurons of C. elegans, minutes after first cleavage";
  add_slice("300", {"Neuroblast_ASG_AWA", "Neuroblast_ADL", "Neuroblast_AWC", "Neuroblast_ASE"}, map);
  add_slice("340", {"Neuroblast_ASG_AWA", "ADL_parent", "ASG_AWA", "Neuroblast_AWC", "ASE_parent"}, map);
  add_slice("400", {"ADL_parent", "ASG_AWA", "AWC", "ASE", "ADL", "ASG"}, map);
  add_slice("460", {"ADL", "ASE", "ASG", "AWA", "ASG_AWA", "AWC"}, map);
  add_slice("540", {"AWC", "ASE", "ASG", "AWA", "ADL", "AWC_ON", "ASEL", "ASER"}, map);
  add_slice("620", {"ADL", "ASEL", "ASER", "ASG", "AWA", "AWC", "AWC_ON", "ASE", "ASH?"}, map);
  add_transition(0,
                 {{.17, .004, .23, .002, .004},
                  {.003, .19, .004, .003, 0},
                  {.004, .002, .003, .17, .011},
                  {.002, .004, .002, .012, .184}},
                 map);
  add_transition(1,
                 {{.004, .15, .003, .002, .001, .019},
                  {.12, .002, .001, .003, .074, 0},
                  {.001, .19, .003, .001, .002, .045},
                  {.002, .003, .17, .009, .001, .002},
                  {.001, .002, .011, .184, .001, 0}},
                 map);
  add_transition(2,
                 {{.118, .001, .002, .002, .001, .004},
                  {.003, .002, .142, .138, .054, .008},
                  {.002, .009, .001, .002, 0, .173},
                  {.001, .181, .002, .003, 0, .012},
                  {.074, .001, .002, .001, 0, .001},
                  {0, .001, .058, .002, .003, .002}},
                 map);
  add_transition(3,
                 {{.002, .001, .003, .001, .189, 0, 0, .002},
                  {.005, .041, 0, .001, .002, .001, .078, .067},
                  {.001, 0, .199, .004, .002, 0, .001, 0},
                  {.001, .001, .003, .141, .001, .001, 0, 0},
                  {0, 0, .026, .031, .001, 0, 0, 0},
                  {.118, .006, .001, .001, .003, .069, .001, .001}},
                 map);
  add_transition(4,
                 {{.001, .002, .001, .001, .001, .098, .019, .002, 0},
                  {0, .019, .018, 0, .001, .001, 0, .011, .001},
                  {.001, 0, 0, .221, .004, .001, 0, 0, .005},
                  {.002, .001, 0, .003, .168, .001, .001, 0, .002},
                  {.171, 0, .001, .002, .001, .001, 0, 0, .021},
                  {0, 0, 0, .001, 0, .004, .066, 0, 0},
                  {0, .076, .003, 0, 0, 0, .001, 0, 0},
                  {0, .002, .064, 0, 0, .001, 0, .001, 0}},
                 map);
  set_masses(1840, map);
  return map;
}

DifferentiationMap random_map(int slices, int types, unsigned seed) {
  const RandomStream random{seed, 1};
  DifferentiationMap map;
  map.title = std::to_string(types) + " types at " + std::to_string(slices) + " times";
  for (int t = 0; t < slices; ++t) {
    std::vector<std::string> names;
    for (int k = 0; k < types; ++k) names.push_back("type " + std::to_string(k));
    add_slice("day " + std::to_string(7 + t), names, map);
  }
  std::uint64_t draw = 0;
  std::vector<double> marginal(static_cast<std::size_t>(types));
  double total = 0.0;
  for (auto& m : marginal) total += m = 0.2 - std::log(1.0 - random.uniform(draw++));
  for (auto& m : marginal) m /= total;
  for (int t = 0; t + 1 < slices; ++t) {
    std::vector<std::vector<double>> mass(marginal.size(), std::vector<double>(marginal.size(), 0.0));
    std::vector<double> next(marginal.size(), 0.0);
    for (std::size_t i = 0; i < marginal.size(); ++i) {
      const auto count = static_cast<std::uint64_t>(types);
      const std::size_t main = (7 * i + 3 + static_cast<std::size_t>(t)) % marginal.size();
      const std::size_t other = random.bits(draw++) % count, third = random.bits(draw++) % count;
      mass[i][main] += 0.72 * marginal[i], mass[i][other] += 0.2 * marginal[i], mass[i][third] += 0.06 * marginal[i];
      for (std::size_t j = 0; j < marginal.size(); ++j) mass[i][j] += 0.02 * marginal[i] / types;
      for (std::size_t j = 0; j < marginal.size(); ++j) next[j] += mass[i][j];
    }
    add_transition(t, mass, map);
    marginal = next;
  }
  set_masses(12345, map);
  return map;
}

DifferentiationMap awkward_map() {
  DifferentiationMap map;
  map.title = "Names <that> need & \"care\": \u03b3\u03b4 T cells, \u795e\u7d4c";
  add_slice("E8.5 <early>",
            {"CD4+ & CD8+ <double positive>", "\u03b3\u03b4 T", "\u795e\u7d4c\u5824\u7d30\u80de (neural crest)",
             "empty\ttype\x01"},
            map);
  add_slice("E9.5",
            {"a type with a name far too long to fit beside its bar, whatever the layout does", "B\xff\xfe", "x"}, map);
  add_slice("E10.5", {"Presomitic mesoderm_posterior_left_A", "Presomitic mesoderm_posterior_left_B"}, map);
  add_transition(0, {{.3, .02, .08}, {.01, .25, .04}, {.0, .05, .25}, {0, 0, 0}}, map);
  add_transition(1, {{.26, .05}, {.3, .02}, {.05, .32}}, map);
  set_masses(100, map);
  map.edges[2].share = 0.3;
  map.nodes[1].color = "#aa3311";
  map.nodes[2].annotation = "neural crest";
  return map;
}

ConvergenceHistory example_history() {
  ConvergenceHistory history{
      "HM-OT, amphid neurons: restart 3",
      "sweep",
      {{"E", {}, {}}, {"F_\u03b5", {}, {}}},
      {{"marginal error, source", {}, {}}, {"marginal error, target", {}, {}}, {"change", {}, {}}},
      {{0, "level 1e-2"}, {60, "level 3e-3"}, {95, "level 1e-3"}},
      1e-7};
  for (int k = 0; k < 160; ++k) {
    const int since = k < 60 ? k : k < 95 ? k - 60 : k - 95;
    const double x = k, decay = std::exp(-0.16 * since) * (k < 60 ? 1.0 : k < 95 ? 0.1 : 0.02);
    for (auto* curves : {&history.objectives, &history.residuals}) {
      for (auto& curve : *curves) curve.x.push_back(x);
    }
    history.objectives[0].y.push_back(12.2 + 90.0 * decay);
    history.objectives[1].y.push_back(11.8 + 88.0 * decay - 0.002 * k);
    history.residuals[0].y.push_back(k == 159 ? 0.0 : 0.3 * decay * (1.0 + 0.3 * std::sin(k)));
    history.residuals[1].y.push_back(0.04 * decay);
    history.residuals[2].y.push_back(k == 0 ? std::nan("") : 0.9 * decay * decay + 3e-8);
  }
  return history;
}

ExampleScatter example_cells(std::int64_t num_cells, int categories, int panels) {
  const RandomStream random{7, 2};
  ExampleScatter example{{.title = "Cells by type", .x_label = "UMAP 1", .y_label = "UMAP 2"}, {}};
  for (int k = 0; k < categories; ++k) example.look.categories.push_back("type " + std::to_string(k));
  for (int p = 0; p < panels; ++p) example.look.panels.push_back("panel " + std::to_string(p));
  ScatterCells& cells = example.cells;
  for (std::int64_t i = 0; i < num_cells; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    const int k = static_cast<int>(random.bits(index, 9) % static_cast<std::uint64_t>(categories));
    const double angle = 2.4 * k, distance = 1.7 * std::sqrt(k + 0.5), spread = 0.5 + 0.05 * (k % 7);
    cells.x.push_back(distance * std::cos(angle) + spread * random.normal(index, 0));
    cells.y.push_back(0.8 * distance * std::sin(angle) + spread * random.normal(index, 1));
    cells.category.push_back(i % 50 == 0 ? -1 : k);
    if (panels > 0) cells.panel.push_back(static_cast<std::int32_t>(i % panels));
  }
  return example;
}

}  // namespace thalweg::test
