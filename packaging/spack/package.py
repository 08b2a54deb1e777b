# Spack recipe of thalweg; docs/install.md shows its use.
from spack.package import *


class Thalweg(CMakePackage, CudaPackage):
    """Distributed optimal transport for single-cell time series."""

    # Set by whoever hosts the repository.
    git = "https://example.org/thalweg.git"

    license("BSD-3-Clause")

    version("main", branch="main")
    version("0.1.0", tag="v0.1.0")

    variant("openmp", default=True, description="threads on the host")
    variant("tests", default=False, description="build the tests and benchmarks")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("python@3.9:", type="build", when="+tests")

    depends_on("mpi@3.1:")
    depends_on("hdf5@1.10.7: +mpi")
    depends_on("openblas")
    depends_on("kokkos@4.6:5")
    depends_on("kokkos +openmp", when="+openmp")
    depends_on("cli11@2.1:")
    depends_on("tomlplusplus@3.3:")
    depends_on("spdlog@1.10:")
    depends_on("fmt@9:")
    depends_on("nlohmann-json@3.11:")
    depends_on("nanoflann@1.4:")
    depends_on("xxhash@0.8:")
    depends_on("zlib")
    depends_on("googletest@1.12: +gmock", when="+tests")
    depends_on("benchmark@1.7:", when="+tests")

    for arch in CudaPackage.cuda_arch_values:
        depends_on(f"kokkos +cuda +wrapper cuda_arch={arch}", when=f"+cuda cuda_arch={arch}")
    depends_on("cuda@12.4:", when="+cuda")
    depends_on("nccl@2.18:", when="+cuda")

    def cmake_args(self):
        args = [
            self.define_from_variant("THALWEG_ENABLE_CUDA", "cuda"),
            self.define_from_variant("THALWEG_BUILD_TESTS", "tests"),
            self.define_from_variant("THALWEG_BUILD_BENCH", "tests"),
            self.define_from_variant("Kokkos_ENABLE_OPENMP", "openmp"),
            self.define("THALWEG_CPU_ARCH", "native"),
        ]
        if self.spec.satisfies("+cuda"):
            args.append(self.define("CMAKE_CXX_COMPILER", self.spec["kokkos"].kokkos_cxx))
        return args
