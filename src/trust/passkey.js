// Passkeys on the node's pages (passkey_page.h). Whatever is here is an addition: without scripts,
// or in a browser without passkeys, these forms stay hidden and everything else works.
'use strict';
(() => {
  if (!window.PublicKeyCredential) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer ?? [])))
      .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

  const ask = {
    make: async ({ challenge, rp, user, name, has }) => {
      const made = await navigator.credentials.create({ publicKey: {
        challenge: bytes(challenge),
        rp: { id: rp, name: 'Carnet' },
        user: { id: new TextEncoder().encode(user), name, displayName: name },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
        excludeCredentials: has.split(' ').filter(Boolean)
          .map((id) => ({ type: 'public-key', id: bytes(id) })),
        authenticatorSelection:
          { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        attestation: 'none',
      } });
      return { client: made.response.clientDataJSON, data: made.response.getAuthenticatorData() };
    },
    use: async ({ challenge, rp }) => {
      const used = await navigator.credentials.get({ publicKey:
        { challenge: bytes(challenge), rpId: rp, userVerification: 'required' } });
      const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
      return { id: used.rawId, client: clientDataJSON, data: authenticatorData, signature,
        user: userHandle };
    },
  };

  for (const form of document.querySelectorAll('form[data-passkey]')) {
    const problem = form.querySelector('[role=alert]');
    form.hidden = false;
    if (!(form.dataset.passkey in ask)) continue;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      problem.hidden = true;
      try {
        const said = await ask[form.dataset.passkey](form.dataset);
        for (const name of Object.keys(said)) form.elements[name].value = text(said[name]);
        form.submit();
      } catch {
        problem.hidden = false;
      }
    });
  }
})();
