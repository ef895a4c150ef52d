// Batches of named arrays, pass after pass. What a pass gives depends on the seed, the number of the epoch and the
// position only, so training can continue anywhere.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "squall/core/batch.hpp"
#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"
#include "squall/core/random.hpp"

namespace squall {

struct DataField {
  std::string name;
  DType dtype = DType::F32;
  Shape features;  // of one example at one time step
};

class DataIterator {
 public:
  virtual ~DataIterator() = default;
  virtual const std::vector<DataField>& fields() const = 0;
  virtual Index batches() const = 0;   // in one pass
  virtual Index examples() const = 0;  // in one pass
  // Begins pass number `epoch`; the next batch is number `first`.
  virtual void restart(Index epoch, Index first = 0) = 0;
  // Fills `into` ((T, B, features...) per field) without allocating after the largest batch was seen; false at the end.
  virtual bool next(Batch& into) = 0;
};

// Data held in memory: fields (N, features...) or sequences (T, N, features...).
struct DataSource {
  std::vector<std::pair<std::string, HostArray>> fields;
  bool sequences = false;  // true: first axis is time, second the examples
  Index examples() const { return fields.empty() ? 0 : fields[0].second.shape()[sequences ? 1 : 0]; }
};

}  // namespace squall
