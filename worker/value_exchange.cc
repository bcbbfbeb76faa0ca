#include "worker/value_exchange.h"

#include <utility>

namespace icarus::worker {
namespace {

void AddValue(ValueAnswer& answer, std::size_t position, std::string value) {
  answer.at[position] = static_cast<std::int32_t>(answer.values.size());
  answer.values.push_back(std::move(value));
}

}  // namespace

void ValueExchange::Begin(std::uint64_t attempt, ExecutionId execution, const std::string& space, CachePolicy cache) {
  const bool reads = cache == CachePolicy::kDefault || cache == CachePolicy::kForce;
  running_[attempt] = {execution, space + '\n', reads, cache != CachePolicy::kNone};
}

void ValueExchange::End(std::uint64_t attempt) {
  running_.erase(attempt);
  std::erase_if(questions_, [&](const auto& open) { return open.second.ask.id == attempt; });
}

void ValueExchange::OnAsk(const ValueAsk& ask, const Now& now) {
  const auto running = running_.find(ask.id);
  if (running == running_.end()) return;
  Question question{ask, {}, {ask.id, std::vector<std::int32_t>(ask.keys.size(), -1), {}, ask.number}};
  GetValues request{running->second.execution, {}};
  for (std::size_t i = 0; running->second.reads && i < ask.keys.size(); ++i) {
    if (const std::string* value = near_.Find(running->second.space + ask.keys[i], now)) {
      AddValue(question.answer, i, *value);
    } else {
      question.positions.push_back(i);
      request.keys.push_back(ask.keys[i]);
    }
  }
  if (!up_ || (request.keys.empty() && !ask.keys.empty())) return callbacks_.answer(question.answer);
  const std::uint64_t correlation = ++last_correlation_;
  questions_.emplace(correlation, std::move(question));
  callbacks_.send(Message{correlation, std::move(request), {}});
}

void ValueExchange::OnOffer(ValueOffer offer) {
  const auto running = running_.find(offer.id);
  if (running == running_.end() || !running->second.writes || !up_) return;
  near_.Remove(running->second.space + offer.key);
  PutValues put{running->second.execution, {std::move(offer.key)}, offer.compute_s};
  callbacks_.send(Message{0, std::move(put), {std::make_shared<const std::string>(std::move(offer.value))}});
}

bool ValueExchange::OnMessage(const Message& message, const Now& now) {
  const auto found = questions_.find(message.correlation);
  if (found == questions_.end()) return message.payload.is<GetValuesReply>();
  Question question = std::move(found->second);
  questions_.erase(found);
  const auto* reply = message.payload.get_if<GetValuesReply>();
  const bool fits = reply != nullptr && reply->at.size() == question.positions.size() &&
                    reply->expires_at_ms.size() == reply->at.size();
  for (std::size_t i = 0; fits && i < reply->at.size(); ++i) {
    if (reply->at[i] < 0 || static_cast<std::size_t>(reply->at[i]) >= message.bodies.size()) continue;
    const std::string& value = *message.bodies[static_cast<std::size_t>(reply->at[i])];
    const std::size_t position = question.positions[i];
    near_.Put(running_.at(question.ask.id).space + question.ask.keys[position], value, reply->expires_at_ms[i], now);
    AddValue(question.answer, position, value);
  }
  callbacks_.answer(question.answer);
  return true;
}

// Messages come in order: what was answered before the removal is here by now.
void ValueExchange::OnGeneration(std::uint64_t generation) { near_.SetGeneration(generation); }

void ValueExchange::OnMemory(double in_use_percent) {
  constexpr double kShort = 85, kPlenty = 75;  // as throttle.memory_percent and below it, by default
  if (in_use_percent > kShort) near_.SetLimit(0);
  if (in_use_percent < kPlenty) near_.SetLimit(kNearBytes);
}

void ValueExchange::OnDown() {
  up_ = false;
  for (const auto& [correlation, question] : std::exchange(questions_, {})) callbacks_.answer(question.answer);
}

}  // namespace icarus::worker
