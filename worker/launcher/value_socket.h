// ValueSocket: where the programs of one command attempt find the intermediate values of the result cache: a local
// stream socket, whose path they have in ICARUS_VALUES and on which they speak the lines of value_message.h. Many
// connections at once, each with many questions on their way.
//
// Owned and used by the guardian, between polls. Nothing here blocks, and everything is bounded: a connection with more
// than a few questions open, or with answers that it has not taken, is not read; one beyond limits::kValueConnections
// is told so and closed; when answers that nobody takes are too many, the connection with the most is closed. A
// question that the worker does not answer in time has no value.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "worker/launcher/attempt.h"
#include "worker/launcher/deadline.h"
#include "worker/launcher/frame_channel.h"
#include "worker/launcher/value_client.h"
#include "worker/launcher/value_message.h"

namespace icarus::worker {

struct ValueBounds {
  Milliseconds patience{2000};           // with the worker, for an answer
  std::size_t most_unread = 128u << 20;  // bytes of answers, of all connections together
  std::size_t most_held = 64u << 20;     // of unfinished lines; beyond it only the longest is read on
  std::size_t most_offered = 16u << 20;  // of values on their way to the broker
};

class ValueSocket {
 public:
  // Listens at `path`, for processes of this user alone (mode 0600, and the peer's uid is looked at). A socket that is
  // there already is a dead guardian's and makes room. Questions and values of the attempt `id` go to `launcher`, which
  // outlives this object. An error says why there is none; the program is to run without it then.
  static Result<std::unique_ptr<ValueSocket>> Open(std::string path, std::uint64_t id, FrameChannel& launcher,
                                                   ValueBounds bounds = {});
  ~ValueSocket();  // the path is gone
  ValueSocket(const ValueSocket&) = delete;
  ValueSocket& operator=(const ValueSocket&) = delete;

  // What is to be polled, and until when; then Serve with what poll made of it.
  void AddTo(std::vector<pollfd>& polled);
  Instant NextDeadline() const;
  void Serve(const std::vector<pollfd>& polled);
  void OnAnswer(const ValueAnswer& answer);
  // Once no process of the attempt is left: passes on what they have put and is not read yet.
  void Finish();

 private:
  struct Question {
    std::uint64_t client = 0;  // 0: nobody's, to know that the broker has taken what was offered before
    std::string id;            // as the program calls it
    Instant deadline{0};
  };

  ValueSocket(std::string path, std::uint64_t id, FrameChannel& launcher, ValueBounds bounds)
      : path_(std::move(path)), id_(id), launcher_(launcher), bounds_(bounds) {}
  Status Listen();
  void Accept();
  bool IsCongested() const;
  bool MayGoOn(const ValueClient& client) const;
  void Receive(const std::vector<pollfd>& polled);
  void TakeLines(std::uint64_t number, ValueClient& client);
  void TakeLine(std::uint64_t number, ValueClient& client, const LineReader::Line& line);
  void Ask(std::uint64_t client, std::string id, std::vector<std::string> keys);
  void Offer(CachePut put);
  void Answer(std::map<std::uint64_t, Question>::iterator question, const std::string* value);
  void Expire();
  void CloseTheFullest();

  const std::string path_;
  const std::uint64_t id_;
  FrameChannel& launcher_;
  const ValueBounds bounds_;
  UniqueFd listener_;
  // Of the path. A worker that follows a killed one counts its attempts anew: its socket may have taken the place of
  // this one, and stays.
  ino_t inode_ = 0;
  std::map<std::uint64_t, ValueClient> clients_;
  std::uint64_t last_client_ = 0;
  std::map<std::uint64_t, Question> questions_;  // by number: the first has waited longest
  std::uint64_t last_question_ = 0;
  std::size_t offered_bytes_ = 0;  // since the broker was last known to have taken all
  std::uint64_t barrier_ = 0;      // the question that will tell; 0: none is open
  bool finishing_ = false;
  std::optional<std::size_t> polled_from_;     // the listener's place among what is polled
  std::vector<std::uint64_t> polled_clients_;  // behind it
};

}  // namespace icarus::worker
