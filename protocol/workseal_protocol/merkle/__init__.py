"""The one Merkle tree: RFC 9162 hashes, inclusion, consistency, and our sparse proof.

Rules: hashes are raw 32-byte strings, and `leaves` are always leaf hashes (`leaf_hash` of an
entry), so an inner node never passes as an entry. A tree has fewer than 2**63 leaves. What is
verified costs at most the depth of the tree for each index and each earlier size that is named.
"""

from workseal_protocol.merkle.consistency import (
    consistency_path,
    consistency_ranges,
    verify_consistency,
)
from workseal_protocol.merkle.frontier import Frontier
from workseal_protocol.merkle.inclusion import (
    inclusion_path,
    inclusion_ranges,
    inclusion_root,
    verify_inclusion,
)
from workseal_protocol.merkle.paths import path_from_nodes, paths_from_nodes
from workseal_protocol.merkle.sparse import sparse_nodes, sparse_proof, sparse_ranges, verify_sparse
from workseal_protocol.merkle.tree import (
    EMPTY_ROOT,
    MAX_PATH,
    MAX_SIZE,
    leaf_hash,
    node_hash,
    root_of,
    split_point,
)

__all__ = [
    "EMPTY_ROOT",
    "MAX_PATH",
    "MAX_SIZE",
    "Frontier",
    "consistency_path",
    "consistency_ranges",
    "inclusion_path",
    "inclusion_ranges",
    "inclusion_root",
    "leaf_hash",
    "node_hash",
    "path_from_nodes",
    "paths_from_nodes",
    "root_of",
    "sparse_nodes",
    "sparse_proof",
    "sparse_ranges",
    "split_point",
    "verify_consistency",
    "verify_inclusion",
    "verify_sparse",
]
