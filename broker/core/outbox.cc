#include "broker/core/outbox.h"

// Moving a variant of many types is a table of functions: made here once and not in every file of the core.
namespace icarus::broker {

void Outbox::Send(PeerRole role, const std::string& instance, Message&& message, bool promise) {
  effects_.emplace_back(SendMessage{role, instance, std::move(message), promise});
}

void Outbox::Write(Record&& record) { effects_.emplace_back(Persist{std::move(record)}); }

void Outbox::Push(Effect&& effect) { effects_.push_back(std::move(effect)); }

void Outbox::Log(std::string event, std::vector<std::pair<std::string, std::string>> fields, bool warning) {
  effects_.emplace_back(Note{warning, std::move(event), std::move(fields)});
}

void Outbox::Happened(Event&& event) { effects_.emplace_back(KeepEvent{std::move(event)}); }

std::vector<Effect> Outbox::Take() { return std::exchange(effects_, {}); }

}  // namespace icarus::broker
