"""A teammate's Dockerfile or template runs nothing here, and reads no file but its own folder's."""

import os
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.images import catalog
from runnerkit.images.definition import JobImage
from runnerkit.settings.model import Settings

SECRET = "sentinel-of-the-operator"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "secret").write_text(SECRET)
    result = tmp_path / "dockerfiles/web"
    result.mkdir(parents=True)
    (tmp_path / "dockerfiles/other").mkdir()
    (tmp_path / "dockerfiles/other/part.j2").write_text(SECRET)
    monkeypatch.setenv("RUNNERKIT_DOCKERFILES", str(tmp_path / "dockerfiles"))
    return result


def found() -> JobImage:
    image = catalog.find(Settings(), "web")
    assert image
    return image


ESCAPES = [
    "{{ cycler.__init__.__globals__.os.system('touch %s') }}",
    "{{ lipsum.__globals__['os'].popen('touch %s').read() }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self.__init__.__globals__.__builtins__.open('%s', 'w') }}",
    "{{ (''|attr('__class__')).mro() }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(cycler) }}",
    "{{ '%%s'|format(joiner.__init__.__globals__) }}",
    "{%% set x = namespace.__init__.__globals__ %%}{{ x.os.system('touch %s') }}",
    "{%% for c in ().__class__.__base__.__subclasses__() %%}{{ c }}{%% endfor %%}",
    "{{ [].append.__self__.__class__.__base__ }}",
    "{{ request.application }}",
    "{{ get_flashed_messages.__globals__ }}",
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_runs_no_python(folder: Path, escape: str) -> None:
    ran = folder.parent / "ran"
    text = (
        escape % str(ran) if escape.count("%s") - escape.count("%%s") else escape.replace("%%", "%")
    )
    (folder / "Dockerfile.j2").write_text(f"FROM debian:bookworm\n# {text}\n")
    with pytest.raises(KitError, match=r"dockerfiles/web/Dockerfile\.j2"):
        found()
    assert not ran.exists()


@pytest.mark.parametrize(
    "change", ["[].append(1)", "{}.update(a=1)", "namespace(a=1).update(2)", "1/0", "'x' + 1",
               "range(10 ** 12)", "'a'.join(1)"]
)  # fmt: skip
def test_what_a_template_works_out_wrongly_is_told(folder: Path, change: str) -> None:
    (folder / "Dockerfile.j2").write_text("FROM x\n{{ " + change + " }}\n")
    with pytest.raises(KitError, match=r"dockerfiles/web/Dockerfile\.j2") as caught:
        found()
    assert caught.value.fix


@pytest.mark.parametrize(
    "name", ["../other/part.j2", "other/part.j2", "../../secret", "/etc/hostname", "web/../part.j2",
             "link.j2", "links/part.j2", "\\0", "circle.j2", "./../../secret", "a" * 5000]
)  # fmt: skip
def test_a_template_includes_nothing_from_outside(folder: Path, name: str) -> None:
    (folder / "link.j2").symlink_to(folder.parent.parent / "secret")
    (folder / "links").symlink_to(folder.parent / "other")
    (folder / "circle.j2").symlink_to(folder / "circle.j2")
    for word in ("include", "import", "extends"):
        more = " as x" if word == "import" else ""
        (folder / "Dockerfile.j2").write_text(f'FROM x\n{{% {word} "{name}"{more} %}}\n')
        with pytest.raises(KitError) as caught:
            found()
        assert SECRET not in str(caught.value)


def test_a_template_includes_its_own_folder_s_files(folder: Path) -> None:
    (folder / "parts").mkdir()
    (folder / "parts/node.j2").write_text("RUN node{{ 1 + 1 }}\n")
    (folder / "Dockerfile.j2").write_text('FROM x\n{% include "parts/node.j2" %}\n')
    assert found().dockerfile == "FROM x\nRUN node2\n"


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.j2", ".dockerignore"])
@pytest.mark.parametrize("target", ["{0}/secret", "../../secret", "{0}/gone", "/dev/zero", "/"])
def test_no_link_leads_out_of_the_folder(folder: Path, name: str, target: str) -> None:
    (folder / "Dockerfile").write_text("FROM x\n")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target.format(folder.parents[1]))
    with pytest.raises(KitError, match="leads outside the folder"):
        found()


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.j2", ".dockerignore"])
def test_what_never_ends_is_not_read(folder: Path, name: str) -> None:
    (folder / "Dockerfile").write_text("FROM x\n")
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(KitError, match="is no file"):
        found()


def test_a_link_within_the_folder_is_as_good_as_a_file(folder: Path) -> None:
    (folder / "real").write_text("FROM y\n")
    (folder / "Dockerfile").symlink_to("real")
    assert found().dockerfile == "FROM y\n"
