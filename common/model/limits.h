// Every bound of the system, in one place. An error that enforces one names it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icarus::limits {

// Wire
inline constexpr std::size_t kMaxFrameBytes = 16u << 20;    // one ZeroMQ part
inline constexpr std::size_t kMaxParts = 4096;              // parts of one message
inline constexpr std::size_t kMaxMessageBytes = 64u << 20;  // all parts of one message
inline constexpr std::size_t kMaxNesting = 16;              // msgpack containers within containers
inline constexpr std::size_t kMaxElements = 2'000'000;      // elements of one array or map
inline constexpr std::size_t kChunkBytes = 256u << 10;      // larger bodies travel in chunks of this size
inline constexpr std::size_t kChunkWindow = 4;              // chunks of one body under way
inline constexpr std::size_t kInlineFileBytes = 16u << 10;  // output files up to this travel inside the result

// Submissions
inline constexpr std::uint32_t kMaxTasksPerJob = 100'000'000;
inline constexpr std::size_t kMaxAxes = 16;
inline constexpr std::size_t kMaxTargets = 10'000;
inline constexpr std::size_t kMaxTargetBytes = 1u << 20;          // one coordinate file
inline constexpr std::size_t kMaxTargetPoints = 2000;             // points of a coordinate file
inline constexpr std::size_t kMaxTableRows = 1'000'000;           // rows of --from
inline constexpr std::size_t kMaxListValues = 10'000;             // values of one list parameter
inline constexpr std::size_t kMaxArguments = 4096;                // of a command
inline constexpr std::size_t kMaxArgumentBytes = 1u << 20;        // all arguments of a command together
inline constexpr std::size_t kMaxInputs = 4096;                   // input files of a command
inline constexpr std::size_t kMaxKeptFiles = 1000;                // of a task, for its next attempt
inline constexpr std::int64_t kLeastKeepEveryMs = 1000;           // between two of its saves
inline constexpr std::int64_t kLongestNoticeMs = 24 * 3'600'000;  // of --stop-signal
inline constexpr std::size_t kMaxTags = 64;
inline constexpr std::size_t kMaxAfter = 1000;  // jobs that one waits for
inline constexpr std::size_t kMaxNameBytes = 256;
inline constexpr int kMaxPriority = 1000;
inline constexpr int kMaxRetries = 100;
inline constexpr int kMaxCpus = 4096;

// Broker
inline constexpr std::size_t kMaxPendingTasks = 500'000'000;
inline constexpr std::size_t kMaxJobs = 1'000'000;
inline constexpr std::size_t kMaxClasses = 4096;  // request classes of the ready queue
inline constexpr std::size_t kMaxWorkers = 100'000;
inline constexpr std::size_t kMessagesPerTurn = 512;  // drained from each socket in one loop turn
inline constexpr std::size_t kProbesPerTurn = 256;    // cache probes ahead of dispatch in one turn
inline constexpr std::size_t kProbesAtSubmit = 1000;  // tasks that the answer to a submission covers
inline constexpr std::size_t kReadsInFlight = 1024;   // cache values being read for completions
inline constexpr std::size_t kPageTasks = 1000;       // tasks of one page of `show` or `result`
inline constexpr std::size_t kPageEvents = 10'000;    // of one page of `events`, about
inline constexpr std::size_t kPageBytes = 2u << 20;   // bodies of one page of `result`
inline constexpr std::size_t kWatchedJobs = 20'000;   // of all watches of a client; an update names all of a watch's
inline constexpr std::size_t kFailureGroups = 100;    // distinct failures remembered a job
inline constexpr std::size_t kRetryNotes = 16;        // retries by the owner whose repetition is recognised, a job
inline constexpr std::size_t kAttemptHistory = 128;   // ended attempts remembered a task, the last ones

// Worker
inline constexpr std::size_t kMaxPrefetch = 4096;                 // tasks queued at a worker beyond its slots
inline constexpr std::size_t kMaxOutputBytes = 16u << 20;         // captured stdout, and stderr, of one attempt
inline constexpr std::uint64_t kMaxOutputFileBytes = 1ull << 30;  // one output or input file
inline constexpr std::size_t kMaxResultBytes = 8u << 20;  // an encoded result body, without a table that lies in a file
inline constexpr std::size_t kValueKeys = 64;             // intermediate values asked for at once
inline constexpr std::size_t kValueKeyBytes = 4096;       // of one key; a value: kMaxResultBytes
inline constexpr std::size_t kValueLineBytes = kMaxResultBytes + (64u << 10);  // of a program's message about one
inline constexpr std::size_t kValueNesting = 64;       // arrays and objects within others, in a key or value
inline constexpr std::size_t kValueConnections = 64;   // of one attempt's programs, at once
inline constexpr std::size_t kOutputTailBytes = 1024;  // of a failed attempt's output, kept in its history

static_assert(kChunkBytes < kMaxFrameBytes && kMaxFrameBytes <= kMaxMessageBytes);
static_assert(kInlineFileBytes < kChunkBytes);
static_assert(kMaxTargetBytes < kMaxFrameBytes);

}  // namespace icarus::limits
