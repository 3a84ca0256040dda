# Shared by scripts/test and scripts/quickstart: steps with their seconds, packages, the main build.
cd "$(dirname "$0")/.."
llvm=22
jobs=$(nproc)

fail() {
  echo "error: $*" >&2
  exit 1
}

# step <name> <command>...: runs the command; says what it was and how long it took.
step() {
  step_name=$1
  shift
  step_start=$(date +%s)
  echo "=== $step_name"
  "$@" || fail "step failed: $step_name"
  echo "=== $step_name: $(($(date +%s) - step_start)) s"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed)" = $# ]
}

# What building and testing takes.
packages="libmlir-$llvm-dev mlir-$llvm-tools llvm-$llvm-dev clang-$llvm libclang-rt-$llvm-dev lld-$llvm clang-format-$llvm cmake ninja-build
  make ccache g++ git python3 pkg-config libcli11-dev libspdlog-dev libpcre2-dev libgtest-dev libgmock-dev libpthreadpool-dev"

# Installs what is missing.
install_packages() {
  # shellcheck disable=SC2086 # a list of names
  installed $packages && return
  as_root apt-get -o DPkg::Lock::Timeout=500 -qq update
  apt-cache show "libmlir-$llvm-dev" >/dev/null 2>&1 ||
    fail "no LLVM $llvm among the packages; add Debian's security suite (bookworm-security) to the sources of apt"
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 -qq install -y --no-install-recommends $packages
}

# configure <directory> <cmake option>...: the main build with clang.
configure() {
  configure_directory=$1
  shift
  cmake -S . -B "$configure_directory" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLLVM_USE_LINKER="lld-$llvm" \
    -DCMAKE_C_COMPILER="clang-$llvm" -DCMAKE_CXX_COMPILER="clang++-$llvm" \
    -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
}

# build <directory> [<target>...]: quiet when it works.
build() {
  directory=$1
  shift
  ninja -C "$directory" -j "$jobs" --quiet "$@"
}

# What could not run is named: variants that this CPU lacks, adapters without their library.
name_skipped() {
  sed -n 's/^\[  SKIPPED \] \([^ ]*\.[^ ]*\) .*/not run: \1/p; s/^-- \(.* is not tested\)$/not run: \1/p; /^not run: /p' "$1" | sort -u
}

# configure_logged <directory> <command>...: shows the log only on failure.
configure_logged() {
  mkdir -p "$1"
  log=$1/configure.log
  shift
  "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
  name_skipped "$log"
}

# run_tests <directory> <ctest option>...
run_tests() {
  directory=$1
  shift
  ctest --test-dir "$directory" --output-on-failure --no-tests=error "$@" || return
  name_skipped "$directory/Testing/Temporary/LastTest.log"
}
