// Writes every example as DIR/NAME.svg and DIR/NAME.tsv: `plot_examples DIR`.
#include <fstream>
#include <iostream>

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
      {"amphid", test::amphid_map()},        {"unsupervised", test::random_map(5, 12, 3)},
      {"forty", test::random_map(2, 40, 4)}, {"hundred", test::random_map(3, 100, 5)},
      {"awkward", test::awkward_map()},      {"single", {{"0"}, {{0, "only", 1.0, 9, 1.0, "", ""}}, {}, "One type"}}};
  for (const auto& [name, map] : maps) {
    write(dir + "diffmap_" + name, plot_differentiation_map(map));
    write(dir + "sankey_" + name, plot_sankey(map));
    std::ofstream(dir + name + ".dot") << to_dot(map);
    std::ofstream(dir + name + ".graphml") << to_graphml(map);
  }
}
