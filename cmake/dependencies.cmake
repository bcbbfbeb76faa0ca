# Everything from outside, each as one target. Debian 12's packages; see scripts/install-deps and docs/decisions/.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(RocksDB REQUIRED)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)

# Header-only ones in the standard include path: tl::expected, CLI11, toml++, nlohmann-json, msgpack, Eigen.
add_library(icarus_msgpack INTERFACE)
target_compile_definitions(icarus_msgpack INTERFACE MSGPACK_NO_BOOST)
add_library(icarus_eigen INTERFACE)
target_include_directories(icarus_eigen SYSTEM INTERFACE /usr/include/eigen3)
target_compile_definitions(icarus_eigen INTERFACE EIGEN_DONT_PARALLELIZE)
