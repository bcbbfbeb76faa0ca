// Run times by request class, learnt as they end: exponentially weighted mean and variance.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace icarus::broker {

class Predictor {
 public:
  void Learn(std::uint32_t request_class, double run_s) {
    if (request_class >= models_.size()) models_.resize(request_class + 1);
    Model& model = models_[request_class];
    constexpr double kWeight = 0.1;
    if (model.count++ == 0) {
      model.mean = run_s;
      return;
    }
    const double difference = run_s - model.mean;
    model.mean += kWeight * difference;
    model.variance = (1 - kWeight) * (model.variance + kWeight * difference * difference);
  }

  bool Known(std::uint32_t request_class) const {
    return request_class < models_.size() && models_[request_class].count > 0;
  }
  // Expected seconds; REQUIRES Known.
  double Mean(std::uint32_t request_class) const { return models_[request_class].mean; }
  // Seconds that most runs stay below; REQUIRES Known.
  double Upper(std::uint32_t request_class) const {
    const Model& model = models_[request_class];
    return model.mean + 2 * std::sqrt(model.variance);
  }

 private:
  struct Model {
    std::uint64_t count = 0;
    double mean = 0;
    double variance = 0;
  };
  std::vector<Model> models_;
};

}  // namespace icarus::broker
