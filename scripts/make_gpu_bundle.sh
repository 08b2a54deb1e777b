#!/usr/bin/env bash
# Gathers what scripts/gpu_check.sh needs on a GPU machine without our packages. Called by target gpu-bundle.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=${1:-$root/build/cuda}
bundle=$root/build/gpu-bundle
# Fabrics the target's own modules would bring, and what must come from the target itself.
unwanted_plugins='_(ofi|ucx|psm|psm2|openib|usnic|portals4|ugni|cm)\.so$'
unwanted_libraries='/(libc|libm|libdl|librt|libpthread|ld-linux[^/]*|libstdc\+\+|libgcc_s|libgomp|libcuda|libcublas(Lt)?|libnccl)[.-]'

copy_programs() {
  local name path ranks
  mkdir -p "$bundle"/{bin,lib,tests,bench,jobs,share}
  install -s -m755 "$build/bin/thalweg" "$bundle/bin/"
  install -m755 "$(command -v mpirun)" "$(command -v orted)" "$bundle/bin/"
  : >"$bundle/gpu_tests.txt"
  while IFS=$'\t' read -r name path ranks; do
    install -s -m755 "$path" "$bundle/tests/$name"
    printf '%s\ttests/%s\t%s\n' "$name" "$name" "$ranks" >>"$bundle/gpu_tests.txt"
  done <"$build/gpu_tests.txt"
  find "$build/bench" -maxdepth 1 -type f -executable -exec install -s -m755 {} "$bundle/bench/" \;
  mkdir -p "$bundle/bench/peers"
  cp "$root/bench/compare.py" "$bundle/bench/"
  cp "$root"/bench/peers/*.py "$bundle/bench/peers/"
  cp -r "$root/jobs/." "$bundle/jobs/"
  cp -r "$root/tests/golden" "$bundle/tests/golden"
  cp "$root/scripts/gpu_check.sh" "$bundle/"
  cp "$root/scripts/launcher.env" "$bundle/bin/"
  git -C "$root" rev-parse HEAD >"$bundle/COMMIT"
}

copy_plugins() {
  local prefix plugins pmix
  prefix=$(ompi_info --path libdir --parsable | cut -d: -f3)
  plugins=$(ompi_info --path pkglibdir --parsable | cut -d: -f3)
  mkdir -p "$bundle/lib/openmpi" "$bundle/lib/pmix"
  find "$plugins/" -maxdepth 1 -name 'mca_*.so' | grep -Ev "$unwanted_plugins" | xargs cp -t "$bundle/lib/openmpi"
  pmix=$(find "$prefix" /usr/lib -type d -path '*pmix2/lib/pmix' -print -quit 2>/dev/null)
  if [ -n "$pmix" ]; then cp "$pmix"/*.so "$bundle/lib/pmix/"; fi
  cp -rL "$(ompi_info --path pkgdatadir --parsable | cut -d: -f3)" "$bundle/share/openmpi"
}

# The ldd closure of everything copied so far; ldd fails on what is no program, such as a text.
copy_libraries() {
  find "$bundle/bin" "$bundle/tests" "$bundle/bench" "$bundle/lib" -type f -print0 |
    { xargs -0 -n 1 ldd 2>/dev/null || true; } | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
    grep -Ev "$unwanted_libraries" | xargs -r cp -L -t "$bundle/lib"
  find "$bundle/lib" -name '*.so*' -exec strip --strip-unneeded {} + 2>/dev/null || true
}

write_environment() {
  cat >"$bundle/bin/env.sh" <<'TEXT'
# Sourced by gpu_check.sh: the bundle's own Open MPI and libraries, the target's CUDA and NCCL.
bundle=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export OPAL_PREFIX=$bundle OMPI_MCA_mca_base_component_path=$bundle/lib/openmpi
export PMIX_MCA_mca_base_component_path=$bundle/lib/pmix PMIX_MCA_pcompress_base_silence_warning=1
export THALWEG_TEST_DATA=$bundle/tests/golden
export PATH=$bundle/bin:$PATH LD_LIBRARY_PATH=$bundle/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
set -a
source "$bundle/bin/launcher.env"
set +a

# find_library NAME: the toolkit, the system, or the Python packages nvidia-cublas and nvidia-nccl.
find_library() {
  local folder found
  for folder in "${CUDA_HOME:-/usr/local/cuda}/lib64" /usr/lib/x86_64-linux-gnu; do
    found=$(find "$folder/" -maxdepth 1 -name "$1*" -print -quit 2>/dev/null)
    if [ -n "$found" ]; then break; fi
  done
  if [ -z "$found" ]; then
    found=$(python3 - "$1" <<'PYTHON' 2>/dev/null
import glob, site, sys
hits = [hit for base in site.getsitepackages() for hit in glob.glob(f"{base}/nvidia/*/lib/{sys.argv[1]}*")]
print(hits[0] if hits else "")
PYTHON
    )
  fi
  echo "$1: ${found:-not found}"
  if [ -n "$found" ]; then LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$(dirname "$found"); fi
}
find_library libcublas.so
find_library libnccl.so.2
TEXT
}

write_manifest() {
  (cd "$bundle" && find . -type f ! -name MANIFEST.tsv -printf '%P\n' | sort | while read -r file; do
    printf '%s\t%s\t%s\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
  done) >"$bundle/MANIFEST.tsv"
}

rm -rf "$bundle"
copy_programs
copy_plugins
copy_libraries
write_environment
write_manifest
echo "$bundle: $(du -sm "$bundle" | cut -f1) MB in $(wc -l <"$bundle/MANIFEST.tsv") files"
