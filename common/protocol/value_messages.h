// The messages about intermediate values: what a solver keeps in the result cache for later runs of the same solver.
// Part of messages.h, which everybody includes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/fields.h"
#include "common/model/ids.h"
#include "common/protocol/message_type.h"

namespace icarus {

// A worker's, for an execution that it runs: the values are those of that execution's analysis and solver identity, and
// no others can be named.
struct GetValues {
  static constexpr MessageType kType = MessageType::kGetValues;
  ExecutionId execution;
  std::vector<std::string> keys;  // at most limits::kValueKeys, each at most limits::kValueKeyBytes
  ICARUS_FIELDS(GetValues, execution, keys)
};
struct GetValuesReply {
  static constexpr MessageType kType = MessageType::kGetValuesReply;
  std::vector<std::int32_t> at;             // of each key: its value's place among the bodies; −1: there is none
  std::vector<std::int64_t> expires_at_ms;  // of each key; 0: never
  ICARUS_FIELDS(GetValuesReply, at, expires_at_ms)
};

// Likewise; bodies: the values of the keys, in their order. Not answered: what is lost is a miss.
struct PutValues {
  static constexpr MessageType kType = MessageType::kPutValues;
  ExecutionId execution;
  std::vector<std::string> keys;
  double compute_s = 0;  // of each
  ICARUS_FIELDS(PutValues, execution, keys, compute_s)
};

}  // namespace icarus
