// SalvageWriter: which records of a damaged store go into the new one, and as what.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/storage/store_survey.h"

namespace icarus::broker {

// Takes the records once more, after the survey has seen all of them. A record that is whole is kept as it is. A task
// whose result is gone is pending, with its history; its job is not finished. What belongs to a job whose record is
// gone goes.
class SalvageWriter {
 public:
  using Put = std::function<void(std::string_view key, std::string_view stored)>;
  SalvageWriter(const StoreSurvey& survey, Put put) : survey_(survey), put_(std::move(put)) {}

  void Take(std::string_view key, std::string_view stored);
  // After the last: says of each job what it lost.
  std::vector<std::string> NameLosses() const;
  // The jobs up to this one of which there is nothing. Where nothing was lost, their time was over.
  std::vector<std::string> NameGaps(std::uint64_t last_job) const;

  std::uint64_t jobs() const { return jobs_; }
  std::uint64_t tasks() const { return tasks_; }
  std::uint64_t bodies() const { return bodies_; }
  std::uint64_t pending_again() const;

 private:
  void TakeStatus(std::string_view key, std::string_view stored, const JobFacts& facts);
  void TakeTask(std::string_view key, std::string_view stored, TaskIndex index, const JobFacts& facts);
  void TakeDispatch(std::string_view key, std::string_view stored);
  const JobFacts* Kept(JobId job) const;

  const StoreSurvey& survey_;
  Put put_;
  std::uint64_t jobs_ = 0;
  std::uint64_t tasks_ = 0;
  std::uint64_t bodies_ = 0;
};

}  // namespace icarus::broker
