//! Circles in a graph of names, each as the whole path, so that people see what leads to what.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// One circle for every knot of names that lead to each other: `[a, b, c]` means a -> b -> c -> a. A
/// name that leads to itself is `[a]`.
pub(super) fn cycles(edges: &[(String, String)]) -> Vec<Vec<String>> {
    let mut graph: DiGraph<&str, ()> = DiGraph::new();
    let mut nodes: BTreeMap<&str, NodeIndex> = BTreeMap::new();
    for (from, to) in edges {
        let [from, to] = [from, to].map(|name| {
            *nodes
                .entry(name.as_str())
                .or_insert_with(|| graph.add_node(name.as_str()))
        });
        graph.update_edge(from, to, ());
    }
    let mut found: Vec<Vec<String>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|knot| knot.len() > 1 || graph.contains_edge(knot[0], knot[0]))
        .map(|knot| {
            let path = shortest(&graph, &knot);
            path.into_iter()
                .map(|node| graph[node].to_owned())
                .collect()
        })
        .collect();
    found.sort();
    found
}

/// The shortest way round from the knot's first name (in the order of names) back to it.
fn shortest(graph: &DiGraph<&str, ()>, knot: &[NodeIndex]) -> Vec<NodeIndex> {
    let Some(&start) = knot.iter().min_by_key(|node| graph[**node]) else {
        return Vec::new();
    };
    let mut came: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
    let mut ring = vec![start];
    while !ring.is_empty() {
        let mut next = Vec::new();
        for &node in &ring {
            let mut onward: Vec<NodeIndex> =
                graph.neighbors(node).filter(|n| knot.contains(n)).collect();
            onward.sort_by_key(|n| graph[*n]);
            for to in onward {
                if to == start {
                    return walked(&came, start, node);
                }
                if let Entry::Vacant(first) = came.entry(to) {
                    first.insert(node);
                    next.push(to);
                }
            }
        }
        ring = next;
    }
    vec![start]
}

fn walked(
    came: &BTreeMap<NodeIndex, NodeIndex>,
    start: NodeIndex,
    last: NodeIndex,
) -> Vec<NodeIndex> {
    let mut path = vec![last];
    let mut at = last;
    while at != start {
        let Some(&before) = came.get(&at) else { break };
        path.push(before);
        at = before;
    }
    path.reverse();
    path
}
