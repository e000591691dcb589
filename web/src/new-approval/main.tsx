import { mount } from '../mount';
import { App } from './app';

mount(<App />);
