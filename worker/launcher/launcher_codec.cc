#include "worker/launcher/launcher_codec.h"

#include "common/protocol/map_codec.h"

namespace icarus::worker {

using codec::DecodeMap;
using codec::EncodeMap;

std::string EncodeSpec(const AttemptSpec& spec) { return EncodeMap(spec); }
Result<AttemptSpec> DecodeSpec(std::string_view bytes) { return DecodeMap<AttemptSpec>(bytes); }
std::string EncodeOutcome(const HostOutcome& outcome) { return EncodeMap(outcome); }
Result<HostOutcome> DecodeOutcome(std::string_view bytes) { return DecodeMap<HostOutcome>(bytes); }

std::string EncodeStarted(const AttemptStarted& event) { return EncodeMap(event); }
std::string EncodeProgress(const AttemptProgress& event) { return EncodeMap(event); }
std::string EncodePiece(const OutputPiece& event) { return EncodeMap(event); }
std::string EncodeFinished(const AttemptFinished& event) { return EncodeMap(event); }
std::string EncodeSaved(const AttemptSaved& event) { return EncodeMap(event); }
std::string EncodeSaveOrder(const SaveOrder& order) { return EncodeMap(order); }
std::string EncodeSignalOrder(const SignalOrder& order) { return EncodeMap(order); }
Result<AttemptSaved> DecodeSaved(std::string_view bytes) { return DecodeMap<AttemptSaved>(bytes); }
Result<SaveOrder> DecodeSaveOrder(std::string_view bytes) { return DecodeMap<SaveOrder>(bytes); }
Result<SignalOrder> DecodeSignalOrder(std::string_view bytes) { return DecodeMap<SignalOrder>(bytes); }
std::string EncodeAsk(const ValueAsk& ask) { return EncodeMap(ask); }
std::string EncodeAnswer(const ValueAnswer& answer) { return EncodeMap(answer); }
std::string EncodeOffer(const ValueOffer& offer) { return EncodeMap(offer); }
Result<ValueAsk> DecodeAsk(std::string_view bytes) { return DecodeMap<ValueAsk>(bytes); }
Result<ValueAnswer> DecodeAnswer(std::string_view bytes) { return DecodeMap<ValueAnswer>(bytes); }
Result<ValueOffer> DecodeOffer(std::string_view bytes) { return DecodeMap<ValueOffer>(bytes); }
Result<AttemptStarted> DecodeStarted(std::string_view bytes) { return DecodeMap<AttemptStarted>(bytes); }
Result<AttemptProgress> DecodeProgress(std::string_view bytes) { return DecodeMap<AttemptProgress>(bytes); }
Result<OutputPiece> DecodePiece(std::string_view bytes) { return DecodeMap<OutputPiece>(bytes); }
Result<AttemptFinished> DecodeFinished(std::string_view bytes) { return DecodeMap<AttemptFinished>(bytes); }

}  // namespace icarus::worker
