#include "bench/cached_noops.h"

#include "common/analysis/cache_key.h"
#include "common/analysis/validate.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/model/sweep.h"
#include "common/protocol/result_codec.h"

namespace icarus::bench {
namespace {

constexpr int kRows = 16;
constexpr double kBytes = 1024;

Result<std::string> IdentityOf(client::Client& client, const std::string& solver) {
  ICARUS_ASSIGN(const ListWorkersReply reply, client.Ask<ListWorkersReply>(ListWorkers{}));
  for (const WorkerInfo& worker : reply.workers) {
    const auto found = worker.solvers.find(solver);
    if (found != worker.solvers.end()) return found->second;
  }
  return Error::Make(ErrorCode::kNotFound, "no worker has the solver " + solver);
}

}  // namespace

Result<CachedNoops> CachedNoops::Of(client::Client& client) {
  JobSpec spec;
  spec.analysis = "noop";
  spec.cache = CachePolicy::kForce;
  spec.sweep.base["bytes"] = Value(kBytes);
  ICARUS_TRY(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
  ICARUS_ASSIGN(std::string identity, IdentityOf(client, spec.solver));
  const Manifest& manifest = *Catalogue::BuiltIn().Find(spec.analysis);
  return CachedNoops(std::move(spec), manifest, std::move(identity));
}

JobSpec CachedNoops::One(std::uint64_t i) const {
  JobSpec spec = spec_;
  spec.sweep.base["i"] = Value(static_cast<double>(i));
  return spec;
}

Result<JobSpec> CachedNoops::Sweep(std::uint64_t first, std::uint64_t step, std::uint64_t count) const {
  JobSpec spec = spec_;
  spec.sweep.base.erase("i");
  const std::string range =
      std::to_string(first) + ":" + std::to_string(first + step * (count - 1)) + ":" + std::to_string(step);
  ICARUS_ASSIGN(ValueSource values, ParseValues(range));
  spec.sweep.axes = {Axis{{AxisColumn{"i", std::move(values)}}}};
  ICARUS_TRY(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
  return spec;
}

Result<std::string> CachedNoops::FormOf(std::uint64_t i) const {
  ICARUS_ASSIGN(const ValueMap params, TaskParams(*manifest_, One(i).sweep.base));
  return CanonicalForm(KeyParts{*manifest_, spec_.solver, identity_, nullptr, nullptr, params});
}

Result<ContentHash> CachedNoops::KeyOf(std::uint64_t i) const {
  ICARUS_ASSIGN(const std::string form, FormOf(i));
  return HashBytes(form);
}

Result<CachedItem> CachedNoops::Entry(std::uint64_t i) const {
  CachedItem item;
  item.analysis = spec_.analysis;
  item.solver = spec_.solver;
  item.identity = identity_;
  ICARUS_ASSIGN(item.form, FormOf(i));
  item.key = HashBytes(item.form);
  item.computed_at_ms = ReadClocks().wall_ms;
  item.compute_s = 1;
  return item;
}

std::string CachedNoops::ValueOf(std::uint64_t i) {
  Random random(i);
  ResultBody body;
  body.columns = {"aoa", "cl", "cd", "cdp", "cm", "xtr_top", "xtr_bottom"};
  for (int row = 0; row < kRows; ++row) {
    std::vector<Value>& cells = body.rows.emplace_back();
    for (std::size_t cell = 0; cell < body.columns.size(); ++cell) cells.emplace_back(random.Unit());
  }
  return EncodeResultBody(body);
}

}  // namespace icarus::bench
