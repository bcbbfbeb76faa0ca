// The verbs by name, one line and one example each: what `--help` shows and what a misspelt verb is compared with.
#pragma once

#include <array>

namespace icarus::client {

struct VerbText {
  const char* name;
  const char* summary;
  const char* example;
};

inline constexpr std::array<VerbText, 24> kVerbTexts = {{
    {"up", "Start a broker and workers here, in the background", "icarus up --workers 2"},
    {"down", "End what runs here; running tasks return to the queue", "icarus down --drain 30s"},
    {"submit", "Queue an analysis or a sweep of it",
     "icarus submit airfoil_polar --solver xfoil --target naca2412 --sweep reynolds=2e5,5e5,1e6 -p aoa=-4:12:1 "
     "--result"},
    {"estimate", "What a submission would take: tasks, hits of the cache, time",
     "icarus estimate airfoil_polar --target naca2412 --sweep reynolds=1e5:1e6:1e5 -p aoa=-4:12:1"},
    {"run", "Run a command through the queue and wait for it", "icarus run --input case.inp -- ./simulate case.inp"},
    {"list", "Jobs, newest first", "icarus list --state running --tag study=wing"},
    {"show", "One job with its tasks and grouped failures", "icarus show 7 --state failed"},
    {"explain", "Why a task waits, failed, or was computed", "icarus explain 7.2"},
    {"wait", "Wait until jobs have ended", "icarus wait last --timeout 10m"},
    {"watch", "Follow jobs with a live bar", "icarus watch all"},
    {"result", "Results as one table, JSON, CSV or a plot", "icarus result last --plot polars.svg"},
    {"get", "Output files of a task", "icarus get 7.0 mesh.msh -d out"},
    {"logs", "What the solver wrote", "icarus logs 7 --failed"},
    {"diff", "Compare the results of two jobs", "icarus diff 7 9 --rtol 1e-3"},
    {"cancel", "End jobs or tasks", "icarus cancel 7.2 --reason 'wrong mesh'"},
    {"retry", "Queue again what did not complete", "icarus retry last"},
    {"workers", "Workers, their load and solvers; drain or resume one", "icarus workers drain node3-0"},
    {"analyses", "The catalogue: analyses, their parameters and solvers", "icarus analyses airfoil_polar"},
    {"cache", "The result cache: what is in it, and what goes to another one",
     "icarus cache list --analysis airfoil_polar --where reynolds=1e5:1e6 -o csv"},
    {"config", "The broker's live settings: list, get, set or unset", "icarus config set cache.max_size_mb 2000"},
    {"events", "Everything that happened, a JSON line each", "icarus events --follow"},
    {"maintenance", "What happens by itself every half hour, now: drop what has expired, give memory back",
     "icarus maintenance"},
    {"emergency-cleanup", "Give back memory, and the slots of running tasks of low priority",
     "icarus emergency-cleanup"},
    {"doctor", "Checks of this machine", "icarus doctor"},
}};

}  // namespace icarus::client
