#include <algorithm>

#include "squall/training/iterators.hpp"

namespace squall {

std::span<const EnumName<Mix>> enum_names(Mix) {
  static constexpr EnumName<Mix> kNames[] = {{"cycle", Mix::Cycle}, {"shortest", Mix::Shortest}};
  return kNames;
}

Zipped::Zipped(std::vector<std::unique_ptr<DataIterator>> parts, Mix mix) {
  for (auto& data : parts) {
    if (data->batches() < 1) raise<DataError>("a part of the data has no examples");
    const bool decides =
        parts_.empty() || (mix == Mix::Cycle ? data->batches() > batches_ : data->batches() < batches_);
    if (decides) {
      batches_ = data->batches();
      examples_ = data->examples();
    }
    for (const auto& field : data->fields()) {
      if (std::ranges::any_of(fields_, [&](const auto& f) { return f.name == field.name; }))
        raise<ConfigError>("two iterators that run side by side both have a field '", field.name, "'");
      fields_.push_back(field);
    }
    const auto first_field = static_cast<Index>(fields_.size() - data->fields().size());
    parts_.push_back({std::move(data), {}, 0, first_field});
  }
  if (parts_.empty()) raise<ConfigError>("there are no iterators to run side by side");
  restart(0);
}

// Within one epoch a short part makes several passes; they are numbered on over the epochs.
void Zipped::restart(Index epoch, Index first) {
  batch_ = first;
  for (auto& part : parts_) {
    const Index length = part.data->batches();
    const Index passes = (batches_ + length - 1) / length;
    part.epoch = epoch * passes + first / length;
    part.data->restart(part.epoch, first % length);
  }
}

bool Zipped::next(Batch& into) {
  if (batch_ >= batches_) return false;
  into.fields.resize(fields_.size());
  for (auto& part : parts_) {
    if (!part.data->next(part.batch)) {
      part.data->restart(++part.epoch);
      if (!part.data->next(part.batch)) raise<DataError>("a part of the data has no examples");
    }
    // Swapped, so that both sides keep memory to write into.
    for (std::size_t f = 0; f < part.batch.fields.size(); ++f) {
      auto& place = into.fields[static_cast<std::size_t>(part.first_field) + f];
      place.first = part.batch.fields[f].first;
      std::swap(place.second, part.batch.fields[f].second);
    }
  }
  ++batch_;
  return true;
}

}  // namespace squall
