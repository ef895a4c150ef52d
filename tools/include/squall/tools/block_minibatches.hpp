// Mini-batches of a split that stays on disk: blocks of examples are read when they are needed, and a few are kept.
#pragma once

#include <list>
#include <memory>

#include "squall/io/reader.hpp"
#include "squall/training/data_iterator.hpp"

namespace squall {

struct BlockOptions {
  Index batch_size = 1;
  bool shuffle = true;  // blocks, and examples within kWindow blocks at a time
  std::uint64_t seed = 0;
  std::string stream = "shuffle";
  Index block = 0;  // examples; 0: about 4 MB
};

class BlockMinibatches : public DataIterator {
 public:
  // `names`: array of the split ("default") and field of the batch that it becomes.
  BlockMinibatches(std::shared_ptr<const StoredSplit> split, bool has_time,
                   std::vector<std::pair<std::string, std::string>> names, const BlockOptions& options);
  const std::vector<DataField>& fields() const override { return fields_; }
  Index batches() const override;
  Index examples() const override { return split_->examples(); }
  void restart(Index epoch, Index first = 0) override;
  bool next(Batch& into) override;
  std::size_t bytes_kept() const;  // of the blocks in memory

 private:
  static constexpr Index kWindow = 4;
  static constexpr std::size_t kKept = 2 * kWindow;
  struct Block {
    Index number = 0;
    Split arrays;
  };
  const Split& block(Index number);
  void shuffle(Index epoch);

  std::shared_ptr<const StoredSplit> split_;
  bool has_time_;
  std::vector<std::pair<std::string, std::string>> names_;
  BlockOptions options_;
  std::vector<DataField> fields_;
  std::vector<Index> order_;
  std::list<Block> kept_;  // the one used last in front
  Index batch_ = 0, steps_ = 1;
};

}  // namespace squall
