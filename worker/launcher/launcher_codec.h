// The bytes of what travels between worker, launcher, guardians and hosts. The only user of the map codec in this
// folder.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"
#include "worker/launcher/attempt.h"

namespace icarus::worker {

// What a solver host says at the end of an attempt; the guardian completes it into AttemptFinished.
struct HostOutcome {
  TaskError error;
  std::string body;
  bool incomplete = false;
  bool cacheable = true;
  bool solver_changed = false;
  std::string output_tail;  // when it failed
  std::vector<BlobFile> blobs;
  double cpu_s = 0;
  std::uint64_t max_rss_bytes = 0;
  bool retire = false;  // the host is not to be used again: processes were left over, or it has grown

  // Of a host in which something is wrong.
  static HostOutcome Failed(TaskError error) {
    HostOutcome outcome;
    outcome.error = std::move(error);
    outcome.retire = true;
    return outcome;
  }
  ICARUS_FIELDS(HostOutcome, error, body, incomplete, cacheable, solver_changed, output_tail, blobs, cpu_s,
                max_rss_bytes, retire)
};

std::string EncodeSpec(const AttemptSpec& spec);
Result<AttemptSpec> DecodeSpec(std::string_view bytes);
std::string EncodeOutcome(const HostOutcome& outcome);
Result<HostOutcome> DecodeOutcome(std::string_view bytes);

std::string EncodeStarted(const AttemptStarted& event);
std::string EncodeProgress(const AttemptProgress& event);
std::string EncodePiece(const OutputPiece& event);
std::string EncodeFinished(const AttemptFinished& event);
std::string EncodeSaved(const AttemptSaved& event);
std::string EncodeSaveOrder(const SaveOrder& order);
std::string EncodeSignalOrder(const SignalOrder& order);
Result<AttemptSaved> DecodeSaved(std::string_view bytes);
Result<SaveOrder> DecodeSaveOrder(std::string_view bytes);
Result<SignalOrder> DecodeSignalOrder(std::string_view bytes);
std::string EncodeAsk(const ValueAsk& ask);
std::string EncodeAnswer(const ValueAnswer& answer);
std::string EncodeOffer(const ValueOffer& offer);
Result<ValueAsk> DecodeAsk(std::string_view bytes);
Result<ValueAnswer> DecodeAnswer(std::string_view bytes);
Result<ValueOffer> DecodeOffer(std::string_view bytes);
Result<AttemptStarted> DecodeStarted(std::string_view bytes);
Result<AttemptProgress> DecodeProgress(std::string_view bytes);
Result<OutputPiece> DecodePiece(std::string_view bytes);
Result<AttemptFinished> DecodeFinished(std::string_view bytes);

}  // namespace icarus::worker
