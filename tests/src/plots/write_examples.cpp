// Writes every example as DIR/NAME.svg and DIR/NAME.tsv: `plot_examples DIR`.
#include <fstream>
#include <iostream>

#include "io/plots/heat_map.hpp"
#include "io/plots/sankey.hpp"
#include "plot_examples.hpp"

namespace {

void write(const std::string& path, const thalweg::Plot& plot) {
  std::ofstream(path + ".svg", std::ios::binary) << plot.svg;
  std::ofstream(path + ".tsv", std::ios::binary) << plot.table.tsv();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace thalweg;
  if (argc != 2) return std::cerr << "usage: plot_examples DIR\n", 2;
  const std::string dir = std::string(argv[1]) + '/';
  const std::pair<std::string, DifferentiationMap> maps[] = {
      {"amphid", test::amphid_map()},
      {"unsupervised", test::random_map(5, 12, 3)},
      {"huge", test::random_map(21, 100, 6)},
      {"forty", test::random_map(2, 40, 4)},
      {"hundred", test::random_map(3, 100, 5)},
      {"awkward", test::awkward_map()},
      {"single", {{"0"}, {{0, "only", 1.0, 9, 1.0, "", ""}}, {}, "One type"}}};
  for (const auto& [name, map] : maps) {
    write(dir + "diffmap_" + name, plot_differentiation_map(map));
    write(dir + "sankey_" + name, plot_sankey(map));
    std::ofstream(dir + name + ".dot") << to_dot(map);
    std::ofstream(dir + name + ".graphml") << to_graphml(map);
  }
  write(dir + "heat_amphid", plot_transition(transition_matrix(test::amphid_map(), 4)));
  write(dir + "heat_awkward", plot_transition(transition_matrix(test::awkward_map(), 0)));
  write(dir + "heat_20", plot_transition(transition_matrix(test::random_map(2, 20, 4), 0)));
  write(dir + "heat_forty", plot_transition(transition_matrix(test::random_map(2, 40, 4), 0)));
  write(dir + "heat_hundred", plot_transition(transition_matrix(test::random_map(2, 100, 4), 0)));
  write(dir + "convergence", plot_convergence(test::example_history()));
  write(dir + "scatter_few", test::example_cells(300, 5).plot());
  write(dir + "scatter_points", test::example_cells(20000, 12).plot());
  write(dir + "scatter_grid", test::example_cells(100000, 20).plot());
  write(dir + "scatter_panels", test::example_cells(3000, 9, 6).plot());
  write(dir + "scatter_panels_grid", test::example_cells(300000, 12, 5).plot());
  write(dir + "scatter_many", test::example_cells(2000000, 60).plot());
}
