// What is typed in a draft leaves for the session when typing rests, and when something else is pressed.
//
// Streamlit sends a text when its field is left, and another page without the texts of this one. A tap on the menu
// does both at one moment: where the app is still busy, the second message takes the place of the first, and
// the text is lost. So a press waits until the app has taken the text in.
(() => {
  const TEXTS = '[class*="st-key-draft-"] :is(textarea, [data-testid="stTextInput"] input)';
  const REST = 700;  // ms without a letter
  const PATIENCE = 5000;  // ms until a press goes through all the same
  let resting, unsent = false, awaited = false, begun = false, passing = false;

  const state = () => document.querySelector('[data-test-script-state]')?.dataset.testScriptState;
  new MutationObserver(() => {
    if (!awaited) return;
    if (state() !== 'notRunning') begun = true;
    else if (begun) awaited = false;
  }).observe(document.documentElement, { subtree: true, attributeFilter: ['data-test-script-state'] });

  const send = () => {
    clearTimeout(resting);
    const field = document.activeElement;
    if (!unsent || !field?.matches(TEXTS)) return;
    unsent = false;
    awaited = true;
    begun = false;
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true }));
  };

  document.addEventListener('input', ({ target, isComposing }) => {
    if (isComposing || !target.matches?.(TEXTS)) return;
    unsent = true;
    clearTimeout(resting);
    resting = setTimeout(send, REST);
  }, true);

  document.addEventListener('pointerdown', ({ target }) => {
    if (target !== document.activeElement) send();
  }, true);

  document.addEventListener('click', (event) => {
    const door = event.target.closest?.('a, button');
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0;  // in another tab
    if (passing || !awaited || !door || elsewhere) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const since = performance.now();
    const go = () => {
      if (awaited && performance.now() - since < PATIENCE) return setTimeout(go, 20);
      awaited = false;
      if (!door.isConnected) return;
      passing = true;
      door.click();
      passing = false;
    };
    go();
  }, true);
})();
