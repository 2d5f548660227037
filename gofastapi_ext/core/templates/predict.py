"""A model behind an API."""

from __future__ import annotations

from gofastapi_ext.core.templates.base import Template, bundle_of

_MAIN = '''"""Serve a model's predictions. The one in model.py is small enough to read; put yours in its place.

A model that you trained in a notebook comes along with `%%deploy predict --with model`.
"""

from fastapi import FastAPI
from pydantic import BaseModel, Field

from model import Classifier

app = FastAPI(title="Predict")

# Trained once, when the app starts; every request uses it.
classifier = Classifier.trained()


class Text(BaseModel):
    text: str = Field(min_length=1, max_length=2000, examples=["The food was wonderful"])


class Prediction(BaseModel):
    label: str
    probability: float


@app.post("/predict")
def predict(given: Text) -> Prediction:
    """Whether a text is positive or negative, and how sure the model is."""
    label, probability = classifier.predict(given.text)
    return Prediction(label=label, probability=round(probability, 3))


@app.get("/labels")
def labels() -> list[str]:
    """What a prediction may be."""
    return classifier.labels
'''

_MODEL = '''"""Naive Bayes over words: the classic that fits on a page."""

import math
import re
from collections import Counter

EXAMPLES = {
    "positive": [
        "a wonderful meal and lovely service",
        "I love this place, great food and a warm welcome",
        "the best coffee in town, friendly and fast",
        "delicious, fresh and good value",
        "excellent evening, we will come back",
    ],
    "negative": [
        "the soup was cold and the waiter rude",
        "a terrible experience, slow and expensive",
        "awful coffee, dirty tables, never again",
        "bland food and a bad mood, disappointing",
        "the worst dinner we ever had, we waited an hour",
    ],
}


def words(text: str) -> list[str]:
    """Short ones say little."""
    return re.findall(r"[a-z]{4,}", text.lower())


class Classifier:
    def __init__(self, examples: dict[str, list[str]]) -> None:
        self.labels = sorted(examples)
        self._counts = {label: Counter(word for text in examples[label] for word in words(text)) for label in examples}
        self._vocabulary = {word for counts in self._counts.values() for word in counts}

    @classmethod
    def trained(cls) -> "Classifier":
        return cls(EXAMPLES)

    def predict(self, text: str) -> tuple[str, float]:
        scores = {label: self._score(label, words(text)) for label in self.labels}
        best = max(scores, key=scores.get)
        return best, 1 / sum(math.exp(score - scores[best]) for score in scores.values())

    def _score(self, label: str, found: list[str]) -> float:
        counts = self._counts[label]
        total = counts.total() + len(self._vocabulary)
        return sum(math.log((counts[word] + 1) / total) for word in found if word in self._vocabulary)
'''

PREDICT = Template(
    id="predict",
    title="Model API",
    description="A trained model behind POST /predict, ready for yours in its place.",
    uses=["Machine learning"],
    opens="docs",
    bundle=bundle_of({"main.py": _MAIN, "model.py": _MODEL}),
)
