// Reading a health card's code, with the camera or from a picture. Pictures stay in this browser.

import { useEffect, useRef, useState } from 'preact/hooks';
import decodeQR from 'qr/decode.js';
import { useI18n } from '../i18n';
import { Page } from '../parts/page';
import { go } from '../route';

const LOOK_MS = 250; // between two looks at the camera's picture
const SIDE_MAX = 1200; // pixels of a picture: more are only slower

// What a code in the picture says; undefined where there is none that can be read.
function read(image: CanvasImageSource, width: number, height: number): string | undefined {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return undefined;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  try {
    return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return undefined; // it throws wherever it finds no code
  }
}

function found(text: string): void {
  go(`/care/find/${encodeURIComponent(text)}`);
}

// The camera while this page is shown; `failed` where there is none, or it may not be used.
function useCamera(failed: () => void) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    let stream: MediaStream | undefined;
    let isShown = true;
    const look = setInterval(() => {
      const shown = video.current;
      if (!shown?.videoWidth) return;
      const text = read(shown, shown.videoWidth, shown.videoHeight);
      if (text) found(text);
    }, LOOK_MS);
    const begin = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      if (isShown && video.current) video.current.srcObject = stream;
      else for (const track of stream.getTracks()) track.stop();
    };
    begin().catch(failed);
    return () => {
      isShown = false;
      clearInterval(look);
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, []);
  return video;
}

export default function Scan() {
  const { t } = useI18n();
  const [hasCamera, setCamera] = useState(true);
  const [isUnread, setUnread] = useState(false);
  const video = useCamera(() => setCamera(false));

  async function fromPicture(file: File | undefined) {
    setUnread(false);
    if (!file) return;
    try {
      const image = await createImageBitmap(file);
      const text = read(image, image.width, image.height);
      if (text) return found(text);
    } catch {
      // no picture at all: the same words help
    }
    setUnread(true);
  }

  return (
    <Page title={t('scan.title')} back="#/care" lead={t('scan.lead')}>
      {hasCamera ? (
        <video
          ref={video}
          class="camera"
          autoplay
          playsInline
          muted
          aria-label={t('scan.camera')}
        />
      ) : (
        <p class="notice" role="status">
          {t('scan.none')}
        </p>
      )}
      <section class="card visit-form">
        <label for="scan-file">{t('scan.picture')}</label>
        <input
          id="scan-file"
          type="file"
          accept="image/*"
          onChange={(e) => fromPicture(e.currentTarget.files?.[0])}
        />
        {isUnread && (
          <p class="field-problem" role="alert">
            {t('scan.unread')}
          </p>
        )}
      </section>
    </Page>
  );
}
