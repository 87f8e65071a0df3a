"""Language models, NLI models and sentence encoders: loaded, sampled, scored."""

import os

# oneDNN keeps a compiled kernel, with its weights in another order, of each shape that it has met,
# 1,024 in either of two caches: with texts of all lengths that is more than a gigabyte in an hour
# and still grows. With 64 memory stays level, at the same speed (batches of like length repeat).
for _name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_name, "64")
