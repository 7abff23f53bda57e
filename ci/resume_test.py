"""resume_test: a search that was interrupted or killed goes on, and comes to the same numbers."""
import json
import signal
import subprocess
import time
import unittest

from command import CLEAN, COMMAND, INTERRUPTED, Case, validate

RUNS, SEED = 20000, 5


class Resume(Case):
    def search(self, *words, code=CLEAN):
        return validate('fuzz', self.expect(code, 'fuzz', *words, '--json', timeout=300).stdout)

    def start(self, out, with_signal):
        """A search that is stopped as soon as some of its runs are on the disk; its folder."""
        process = subprocess.Popen([COMMAND, 'fuzz', 'buddy', '--runs', str(RUNS), '--seed', str(SEED),
                                    '--out', str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        kept = out / '.resume' / str(SEED)
        until = time.time() + 60
        while time.time() < until and process.poll() is None:
            try:
                if json.loads((kept / 'state.json').read_text())['layers'][0]['swarm']['runs'] > 0:
                    break
            except FileNotFoundError:
                pass
            time.sleep(0.02)
        process.send_signal(with_signal)
        _, err = process.communicate(timeout=60)
        state = json.loads((kept / 'state.json').read_text())['layers'][0]['swarm']
        self.assertGreater(state['runs'], 0)
        self.assertLess(state['runs'], RUNS, 'it was over before it was stopped')
        return kept, process.returncode, err

    def same(self, resumed):
        whole = self.search('buddy', '--runs', RUNS, '--seed', SEED, '--out', self.folder / 'whole')
        for key in ('seed', 'runs', 'operations', 'digest', 'reach'):
            self.assertEqual(resumed[key], whole[key], key)
        self.assertIsNone(resumed['resume'])

    def test_an_interrupted_search_says_how_to_go_on_and_ends_as_if_it_had_not_been(self):
        kept, code, err = self.start(self.folder / 'out', signal.SIGINT)
        self.assertEqual(code, INTERRUPTED, err)
        self.assertIn(f'to go on: allocheck fuzz --resume {kept}\n', err)
        self.same(self.search('--resume', kept))
        self.assertFalse(kept.exists())

    def test_a_killed_one_too_and_the_newest_is_found(self):
        kept, code, _ = self.start(self.folder / 'out', signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        self.same(self.search('--resume', '--out', self.folder / 'out'))

    def test_what_another_version_left_is_refused_and_stays(self):
        kept, _, _ = self.start(self.folder / 'out', signal.SIGINT)
        good = (kept / 'state.json').read_text()
        changes = {'format': lambda s: s | {'format': 2}, 'it is of allocheck': lambda s: s | {'allocheck': '9'},
                   'other operations': lambda s: s['layers'][0].update(identity='0') or s,
                   'as it was written': lambda s: s.pop('seed') and s}
        for word, change in changes.items():
            text = json.dumps(change(json.loads(good)))
            (kept / 'state.json').write_text(text)
            self.assertIn(word, self.refused('fuzz', '--resume', kept))
            self.assertEqual((kept / 'state.json').read_text(), text)
        for text in ('', '[]', good[:len(good) // 2]):
            (kept / 'state.json').write_text(text)
            self.assertIn('no JSON object', self.refused('fuzz', '--resume', kept))

    def test_usage(self):
        self.refused('fuzz', '--resume', self.folder / 'none')
        self.refused('fuzz', '--resume', '--out', self.folder / 'none')
        self.assertIn('beside it', self.refused('fuzz', 'buddy', '--runs', 5, '--resume'))

    def test_a_search_that_ends_leaves_nothing_to_resume(self):
        self.search('buddy', '--runs', 50, '--seed', 1, '--out', self.folder / 'out')
        self.assertFalse((self.folder / 'out/.resume').exists())


if __name__ == '__main__':
    unittest.main()
