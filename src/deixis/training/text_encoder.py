"""The text encoder: pretrained on phrases alone, then frozen.

Real latent diffusion models keep their text encoder frozen. Which of its tokens a jointly trained one chooses to carry
the meaning is a matter of chance (the end of the sentence may gather it, and the words then point elsewhere). So ours
is trained first, to say with every word's state which attributes its sentence names (finding, side, zone, degree),
while begin, end and padding are held at one constant state. What the denoiser wants to know, it must ask the words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from deixis.training.loop import Stage, Stateful, generator, learning_rate, run

Sentence = tuple[str, tuple[str, ...]]  # a phrase and the attributes that it names
SentenceSource = Callable[[int, int], Sequence[Sentence]]  # (how many, seed) → sentences


@dataclass(frozen=True)
class TextEncoderPlan:
    """Size and training of the text encoder.

    Args:
        width: of the states, the denoiser's context width.
        layers: transformer layers.
        heads: attention heads.
        steps: optimisation steps.
        batch: texts per step, each of one to four sentences.
        peak: peak learning rate.
        rest: weight of the term that holds begin, end and padding still.
        seed: of weights and data.
    """

    width: int = 128
    layers: int = 3
    heads: int = 4
    steps: int = 700
    batch: int = 64
    peak: float = 1e-3
    rest: float = 0.1
    seed: int = 0


def new_text_encoder(plan: TextEncoderPlan, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """An untrained `CLIPTextModel` for this tokenizer."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=plan.width, intermediate_size=4 * plan.width,
        num_hidden_layers=plan.layers, num_attention_heads=plan.heads, projection_dim=plan.width,
        max_position_embeddings=tokenizer.model_max_length, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(plan.seed)
    return CLIPTextModel(config)


def train_text_encoder(
    plan: TextEncoderPlan, tokenizer: CLIPTokenizer, source: SentenceSource, folder: Path
) -> CLIPTextModel:
    """A text encoder whose words know what their sentence says; resumable in `folder`."""
    encoder = new_text_encoder(plan, tokenizer).train()
    attributes = attribute_names(source(5000, plan.seed))
    head = nn.Linear(plan.width, len(attributes))
    still = nn.Parameter(torch.zeros(plan.width))
    reader = nn.ModuleDict({"encoder": encoder, "head": head})
    reader.register_parameter("still", still)
    optimiser = torch.optim.AdamW(reader.parameters(), lr=plan.peak, betas=(0.9, 0.98), weight_decay=0.01)

    def step(i: int) -> float:
        texts, targets = joined(source(4 * plan.batch, plan.seed + 1 + i), plan, i, attributes)
        ids, words, labels = token_labels(tokenizer, texts, targets)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(i, plan.steps, plan.peak)
        states = encoder(input_ids=ids).last_hidden_state
        named = nn.functional.binary_cross_entropy_with_logits(head(states[words]), labels[words])
        rest = (states[~words] - still).square().mean()
        loss = named + plan.rest * rest
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimiser.step()
        return float(loss.detach())

    parts: dict[str, Stateful] = {"reader": reader, "optimiser": optimiser}
    run(Stage("text_encoder", plan.steps, parts, step), folder)
    return encoder.eval().requires_grad_(False)


def attribute_names(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """All attributes that the sentences name, sorted."""
    return tuple(sorted({name for _, names in sentences for name in names}))


def joined(
    sentences: Sequence[Sentence], plan: TextEncoderPlan, step: int, attributes: Sequence[str]
) -> tuple[list[list[str]], list[list[Float[Tensor, " attribute"]]]]:
    """Texts of one to four sentences, and for every sentence which attributes it names."""
    counts = torch.randint(1, 5, (plan.batch,), generator=generator(plan.seed, step)).tolist()
    index = {name: i for i, name in enumerate(attributes)}
    left = iter(sentences)
    texts, targets = [], []
    for count in counts:
        chosen = [next(left) for _ in range(count)]
        texts.append([text for text, _ in chosen])
        targets.append([_multi_hot(names, index) for _, names in chosen])
    return texts, targets


def token_labels(
    tokenizer: CLIPTokenizer, texts: Sequence[Sequence[str]], targets: Sequence[Sequence[Float[Tensor, " attribute"]]]
) -> tuple[Int[Tensor, "case token"], Bool[Tensor, "case token"], Float[Tensor, "case token attribute"]]:
    """Token ids, which of them are words, and for every word what its own sentence names."""
    length = tokenizer.model_max_length
    ids = torch.full((len(texts), length), tokenizer.pad_token_id)
    words = torch.zeros((len(texts), length), dtype=torch.bool)
    labels = torch.zeros((len(texts), length, len(targets[0][0])))
    for row, (sentences, wanted) in enumerate(zip(texts, targets, strict=True)):
        text, starts = join(sentences)
        encoded = tokenizer(text, return_offsets_mapping=True, truncation=True)
        tokens = encoded["input_ids"]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        for position, (begin, end) in enumerate(encoded["offset_mapping"]):
            if end > begin:
                sentence = sum(begin >= start for start in starts) - 1
                words[row, position] = True
                labels[row, position] = wanted[sentence]
    return ids, words, labels


def join(sentences: Sequence[str]) -> tuple[str, list[int]]:
    """One caption out of sentences, and the character at which each begins."""
    text, starts = "", []
    for sentence in sentences:
        text += " " if text else ""
        starts.append(len(text))
        text += sentence if sentence.endswith(".") or len(sentences) == 1 else f"{sentence}."
    return text, starts


def _multi_hot(names: Sequence[str], index: dict[str, int]) -> Float[Tensor, " attribute"]:
    label = torch.zeros(len(index))
    label[[index[name] for name in names if name in index]] = 1.0
    return label
