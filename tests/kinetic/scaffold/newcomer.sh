# What a newcomer types, from nothing to a recipe: NAME ROLE MODULE, in an empty folder with nothing but kinetic.
set -e
kinetic() { python -m kinetic "$@"; }
kinetic new "$1" --role "$2"
cd "kinetic-$1"
sed -i "$FORMULA" "src/kinetic_$3/$3.py"
pip_install_e() {  # what `pip install --no-deps -e .` leaves, for a machine without a network
    info="$SITE/kinetic_$3-0.1.0.dist-info" && mkdir -p "$info"
    printf 'Metadata-Version: 2.1\nName: kinetic-%s\nVersion: 0.1.0\n' "$1" > "$info/METADATA"
    printf '[kinetic]\nkinetic_%s = kinetic_%s\n' "$3" "$3" > "$info/entry_points.txt"
    export PYTHONPATH="$SITE:$PWD/src"
}
pip_install_e "$@"
kinetic check "kinetic_$3"
python -m pytest -q
