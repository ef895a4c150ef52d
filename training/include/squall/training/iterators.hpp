// Iterators over data in memory, and iterators made of others.
#pragma once

#include <future>

#include "squall/training/augment.hpp"
#include "squall/training/data_iterator.hpp"

namespace squall {

struct MinibatchesOptions {
  Index batch_size = 1;
  bool shuffle = true;  // examples, anew in each pass
  std::uint64_t seed = 0;
  std::string stream = "shuffle";  // of random numbers; two iterators of one name and seed shuffle alike
  std::string cut_to = "mask";  // sequences: batches end with the last step that this field, if there is one, has set
  std::vector<Index> lengths = {};  // of the sequences, one each, where no field tells; used instead of cut_to
};

// Batches of so many examples, the last one smaller. Data without time gives one time step.
class Minibatches : public DataIterator {
 public:
  // Throws DataError when fields have different numbers of examples or time steps.
  Minibatches(std::shared_ptr<const DataSource> source, const MinibatchesOptions& options);
  const std::vector<DataField>& fields() const override { return fields_; }
  Index batches() const override;
  Index examples() const override { return source_->examples(); }
  void restart(Index epoch, Index first = 0) override;
  bool next(Batch& into) override;

 private:
  void take_lengths();
  Index steps_of(std::span<const Index> chosen) const;
  std::shared_ptr<const DataSource> source_;
  MinibatchesOptions options_;
  std::vector<DataField> fields_;
  std::vector<Index> order_, lengths_;  // lengths: of the sequences, where batches are cut
  Index batch_ = 0;
};

// One batch of everything, in order.
class Undivided : public Minibatches {
 public:
  explicit Undivided(std::shared_ptr<const DataSource> source)
      : Minibatches(source, {.batch_size = std::max<Index>(1, source->examples()), .shuffle = false, .cut_to = ""}) {}
};

// Cycle: an epoch is the longest iterator, shorter ones start over with new shuffles. Shortest: it ends with the
// shortest.
enum class Mix : std::uint8_t { Cycle, Shortest };
std::span<const EnumName<Mix>> enum_names(Mix);  // "cycle", "shortest"

// Batches of several iterators side by side, for tasks trained in one step. Their fields must have different names.
class Zipped : public DataIterator {
 public:
  Zipped(std::vector<std::unique_ptr<DataIterator>> parts, Mix mix);
  const std::vector<DataField>& fields() const override { return fields_; }
  Index batches() const override { return batches_; }
  Index examples() const override { return examples_; }  // of the part that decides the length
  void restart(Index epoch, Index first = 0) override;
  bool next(Batch& into) override;

 private:
  struct Part {
    std::unique_ptr<DataIterator> data;
    Batch batch;
    Index epoch = 0, first_field = 0;
  };
  std::vector<Part> parts_;
  std::vector<DataField> fields_;
  Index batches_ = 0, examples_ = 0, batch_ = 0;
};

// An iterator whose batches are changed at random, one change after another.
class Augmented : public DataIterator {
 public:
  // Throws ConfigError when a change does not fit the fields it gets.
  Augmented(std::unique_ptr<DataIterator> inner, std::vector<std::unique_ptr<Augment>> changes, std::uint64_t seed,
            std::string stream = "augment");
  const std::vector<DataField>& fields() const override { return fields_; }
  Index batches() const override { return inner_->batches(); }
  Index examples() const override { return inner_->examples(); }
  void restart(Index epoch, Index first = 0) override;
  bool next(Batch& into) override;

 private:
  std::unique_ptr<DataIterator> inner_;
  std::vector<std::unique_ptr<Augment>> changes_;
  std::vector<DataField> fields_;
  std::uint64_t seed_ = 0;
  std::string stream_;
  Index epoch_ = 0, batch_ = 0;
};

// The same batches, the next one made on another thread while this one is used.
class Prefetch : public DataIterator {
 public:
  explicit Prefetch(std::unique_ptr<DataIterator> inner) : inner_(std::move(inner)) {}
  ~Prefetch() override;
  const std::vector<DataField>& fields() const override { return inner_->fields(); }
  Index batches() const override { return inner_->batches(); }
  Index examples() const override { return inner_->examples(); }
  void restart(Index epoch, Index first = 0) override;
  bool next(Batch& into) override;  // an exception of the other thread is thrown here

 private:
  void begin();
  void drop();
  std::unique_ptr<DataIterator> inner_;
  Batch ahead_;
  std::future<bool> ready_;
};

}  // namespace squall
