"""Labels and messages of the pages for several tests. Tests find the rest by role, code, data attribute or value."""

from __future__ import annotations

# Buttons.
CLAMP, RELEASE, CLEAR_CLAMPS = "Clamp", "Release", "Clear all clamps"
SECOND_SEQUENCE, SIMILAR_MOMENTS, UPLOAD = "Second sequence", "Similar moments", "Upload a model"
CHECK_IT, SCORE = "Check it", "Score on held-out sequences"
CHECK_ANSWER = "Check answer"

# Verdicts of lessons.
CORRECT, NOT_QUITE = "Correct", "Not quite"

# Error messages.
NO_SERVER = "The server did not answer."
EXPORTED_MODEL = (
    "This exported page has no server. It runs its own network, but it cannot compute gradients or scores, or open "
    "other models."
)
EXPORTED_MODEL_LIVE = f"{EXPORTED_MODEL} To see more, follow the link to GRU Scope at the top."
EXPORTED_MODEL_ALONE = f"{EXPORTED_MODEL} To see more, open GRU Scope."
CHAOTIC = "This network is chaotic"
LINK_IN_PARTS = "Parts of this link could not be used."

# The Compare and Train pages, and the experiments.
EXPERIMENTS = {
    "gap": "Gradient reach",
    "sequence": "Sequential cost",
    "bottleneck": "Memory capacity",
    "race": "Cell comparison",
    "attention": "Attention weights",
}
GRADIENT_FLOW, STATE_GRADIENT = "Gradient flow", "Gradient from state to state"
COSTS, MILESTONES, RESULTS = "Cost of each cell", "Milestones", "Gates and weights"
START_TRAINING, COMPARE_RUN = "Start training", "Compare with this run"
