// A message of any type of messages.h. Not a variant of all of them: every file that moves or destroys one would
// compile that for each of the types.
#pragma once

#include <any>
#include <concepts>
#include <type_traits>
#include <utility>

#include "common/protocol/message_type.h"

namespace icarus {

template <class T>
concept MessagePayload = requires {
  { std::remove_cvref_t<T>::kType } -> std::convertible_to<MessageType>;
};

class AnyMessage {
 public:
  AnyMessage() = default;
  template <MessagePayload T>
  AnyMessage(T&& message)  // NOLINT(google-explicit-constructor): a message is one of any type
      : type_(std::remove_cvref_t<T>::kType), value_(std::forward<T>(message)) {}

  template <MessagePayload T>
  T& emplace() {
    type_ = T::kType;
    return value_.emplace<T>();
  }

  // MessageType::kNone until there is one.
  MessageType type() const { return type_; }

  template <MessagePayload T>
  bool is() const {
    return type_ == T::kType;
  }
  // Null when it is of another type.
  template <MessagePayload T>
  const T* get_if() const {
    return is<T>() ? std::any_cast<T>(&value_) : nullptr;
  }
  template <MessagePayload T>
  T* get_if() {
    return is<T>() ? std::any_cast<T>(&value_) : nullptr;
  }
  // Throws std::bad_any_cast when it is of another type.
  template <MessagePayload T>
  const T& get() const {
    return std::any_cast<const T&>(value_);
  }
  template <MessagePayload T>
  T& get() {
    return std::any_cast<T&>(value_);
  }

 private:
  MessageType type_ = MessageType::kNone;
  std::any value_;
};

}  // namespace icarus
