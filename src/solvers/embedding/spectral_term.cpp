#include "solvers/embedding/spectral_term.hpp"

#include "geometry/row_gram.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

/// One factor of C, of all cells of a side, and what L does to the owned ones.
struct Side {
  std::int64_t width = 0;
  RowRange rows;
  Vector all, smoothed;  // A; L A of the owned rows

  TallRows own() const {
    const auto part = std::span<const double>(all).subspan(static_cast<std::size_t>(rows.begin * width),
                                                           static_cast<std::size_t>(rows.size() * width));
    return {part, rows.size(), width, width};
  }
  TallRows own_smoothed() const { return {smoothed, rows.size(), width, width}; }
};

/// Rows (square |x|^2, 1, factor x), the first two in either order; without square (1, factor x).
Vector factor_of(std::span<const double> points, std::int64_t h, double factor, double unit, int place_of_square) {
  Vector rows;
  const std::int64_t count = static_cast<std::int64_t>(points.size()) / h;
  for (std::int64_t i = 0; i < count; ++i) {
    const double* x = points.data() + i * h;
    double square = 0.0;
    for (std::int64_t k = 0; k < h; ++k) square += x[k] * x[k];
    if (place_of_square == 0) rows.push_back(unit * square);
    rows.push_back(unit);
    if (place_of_square == 1) rows.push_back(unit * square);
    for (std::int64_t k = 0; k < h; ++k) rows.push_back(unit * factor * x[k]);
  }
  return rows;
}

/// (L A)_i = degree_i A_i - sum of the neighbours' rows.
void smooth(const Graph& graph, Side& side) {
  const std::int64_t width = side.width;
  side.smoothed.assign(static_cast<std::size_t>(side.rows.size() * width), 0.0);
  for_each_piece_on_host(side.rows.size(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double* to = side.smoothed.data() + i * width;
      const double* own = side.all.data() + (side.rows.begin + i) * width;
      for (const std::int32_t node : graph.neighbours_of(side.rows.begin + i))
        for (std::int64_t k = 0; k < width; ++k) to[k] += own[k] - side.all[static_cast<std::size_t>(node * width + k)];
    }
  });
}

double inner(const Matrix& a, const Matrix& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.values.size(); ++k) sum += a.values[k] * b.values[k];
  return sum;
}

/// factor (L A M + A N) of the owned rows.
Matrix gradient_of(const Side& side, const Matrix& m, const Matrix& n, double factor) {
  Matrix gradient(side.rows.size(), side.width);
  const TallRows own = side.own(), smoothed = side.own_smoothed();
  for (std::int64_t i = 0; i < gradient.rows; ++i)
    for (std::int64_t k = 0; k < side.width; ++k)
      for (std::int64_t l = 0; l < side.width; ++l)
        gradient(i, l) += factor * (smoothed.row(i)[k] * m(k, l) + own.row(i)[k] * n(k, l));
  return gradient;
}

}  // namespace

SpectralTerm spectral_term(const Communicator& comm, const CostPoints& points, const Graph& source_graph,
                           const Graph& target_graph, bool with_gradient) {
  const bool is_cosine = points.cost == EmbeddingCost::cosine;
  const std::int64_t h = points.dimension, n = points.num_rows, m = points.num_columns, head = is_cosine ? 1 : 2;
  const double unit = is_cosine ? 1.0 : 1.0 / points.scale, back = is_cosine ? -1.0 : -2.0;
  Side x{h + head, points.rows, factor_of(points.source, h, 1.0, 1.0, is_cosine ? -1 : 0), {}};
  Side y{h + head, points.columns, factor_of(points.target, h, back, unit, is_cosine ? -1 : 1), {}};
  smooth(source_graph, x);
  smooth(target_graph, y);
  const Matrix x_gram = products_of_rows(comm, x.own(), x.own(), n),
               y_gram = products_of_rows(comm, y.own(), y.own(), m);
  const Matrix x_smooth = products_of_rows(comm, x.own(), x.own_smoothed(), n);
  const Matrix y_smooth = products_of_rows(comm, y.own(), y.own_smoothed(), m);
  const double per_pair = 1.0 / (static_cast<double>(n) * static_cast<double>(m));
  SpectralTerm term;
  term.value = per_pair * (inner(x_smooth, y_gram) + inner(x_gram, y_smooth));
  if (!with_gradient) return term;
  const Matrix of_x = gradient_of(x, y_gram, y_smooth, 2.0 * per_pair);
  const Matrix of_y = gradient_of(y, x_gram, x_smooth, 2.0 * per_pair);
  for (std::int64_t i = 0; i < of_x.rows; ++i)
    for (std::int64_t k = 0; k < h; ++k) {
      const double through_square =
          is_cosine ? 0.0 : 2.0 * points.source[static_cast<std::size_t>((points.rows.begin + i) * h + k)] * of_x(i, 0);
      term.source_gradient.push_back(of_x(i, head + k) + through_square);
    }
  for (std::int64_t j = 0; j < of_y.rows; ++j)
    for (std::int64_t k = 0; k < h; ++k) {
      const double through_square =
          is_cosine ? 0.0
                    : 2.0 * points.target[static_cast<std::size_t>((points.columns.begin + j) * h + k)] * of_y(j, 1);
      term.target_gradient.push_back(unit * (back * of_y(j, head + k) + through_square));
    }
  return term;
}

}  // namespace thalweg
